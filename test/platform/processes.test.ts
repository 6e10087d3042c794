import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { ProcessIdentity } from "../../src/base/processes.ts";
import { systemProcesses } from "../../src/platform/processes.ts";

const processes = systemProcesses();
const self = (): ProcessIdentity => {
  const found = processes.self();
  if (found === null) throw new TypeError("this system does not tell processes apart");
  return found;
};

test("this process lives", () => {
  expect(processes.liveness(self())).toBe("alive");
});

test("a process that has ended is dead, also to an observer that looks for the first time", async () => {
  const source = `import { systemProcesses } from "${import.meta.dirname}/../../src/platform/processes.ts";
    console.log(JSON.stringify(systemProcesses().self()));`;
  const other = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  other.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(other, "close");
  const identity = JSON.parse(text) as ProcessIdentity;
  expect(identity.host).toEqual(self().host);
  expect(systemProcesses().liveness(identity)).toBe("dead");
});

test("a process id that is used again is not the same process", () => {
  expect(processes.liveness({ ...self(), startedAt: "1" })).toBe("dead");
});

test("a process on another machine, or in another container, cannot be seen", () => {
  const { host } = self();
  for (const other of [
    { ...host, namespace: "pid:[1]," },
    { ...host, boot: "x", hostname: "y" },
    { ...host, boot: "x", machine: "" },
  ])
    expect(processes.liveness({ pid: 1, startedAt: "1", host: other })).toBe("unknown");
});

test("what ran before this machine was started again is dead", () => {
  const host = { ...self().host, machine: self().host.machine || "m", boot: "before" };
  const expected = self().host.machine === "" ? "unknown" : "dead";
  expect(processes.liveness({ pid: 1, startedAt: "1", host })).toBe(expected);
});

test("a system that does not tell processes apart says so", () => {
  const none = systemProcesses("win32");
  expect([none.self(), none.host(), none.liveness(self())]).toEqual([null, null, "unknown"]);
});
