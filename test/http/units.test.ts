import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../src/cli/commands/system/daemon.ts";
import { ROOT } from "../binary/built.ts";

const unit = (name: string): string => join(ROOT, "packaging", "systemd", name);
const lines = (name: string): readonly string[] => readFileSync(unit(name), "utf8").split("\n");
const settings = (name: string): ReadonlyMap<string, string> =>
  new Map(
    lines(name)
      .filter((line) => /^[A-Z]\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

describe("the units of systemd", () => {
  const analyze = Bun.which("systemd-analyze");
  test.skipIf(analyze === null).each(["vsec.service", "vsec.socket"])(
    "%s is a unit without mistakes (needs systemd-analyze)",
    (name) => {
      const { stderr } = Bun.spawnSync([analyze ?? "", "verify", "--man=no", unit(name)]);
      const complaints = stderr
        .toString()
        .split("\n")
        .filter((line) => line.includes(name) && !/is not executable|not-found/.test(line));
      expect(complaints).toEqual([]);
    },
  );

  test("the service starts the daemon with flags that it has", () => {
    const [program, ...words] = settings("vsec.service").get("ExecStart")?.split(" ") ?? [];
    expect([program, words[0]]).toEqual(["/usr/bin/vsec", "daemon"]);
    const flags = words.slice(1).map((word) => word.replace(/^-+/, "").replace(/=.*$/, ""));
    expect(flags.filter((flag) => !Object.hasOwn(command.flags, flag))).toEqual([]);
  });

  test("nothing of a key reaches a core file or swap, and nothing in the environment changes what runs", () => {
    const service = settings("vsec.service");
    expect([service.get("LimitCORE"), service.get("MemorySwapMax"), service.get("NoNewPrivileges")]).toEqual([
      "0",
      "0",
      "yes",
    ]);
    expect(service.get("UnsetEnvironment")?.split(" ")).toEqual(
      expect.arrayContaining(["BUN_OPTIONS", "BUN_BE_BUN", "NODE_OPTIONS"]),
    );
    expect([service.get("Type"), service.get("NotifyAccess")]).toEqual(["notify", "all"]);
  });

  test("the socket is for its owner and group only", () => {
    expect(settings("vsec.socket").get("SocketMode")).toBe("0660");
  });
});
