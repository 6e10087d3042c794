import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { envelope, refused, temporaryHome, vsec } from "./fake-world.ts";

describe("the token", () => {
  const self = envelope({
    data: {
      id: "hvs.new",
      accessor: "acc",
      policies: ["root"],
      meta: null,
      ttl: 0,
      renewable: false,
      entity_id: "",
      orphan: true,
    },
  });
  const printed = async (env: Readonly<Record<string, string>>) =>
    (await vsec(["print", "token"], { env })).stdout;

  test("comes from VSEC_TOKEN, then VAULT_TOKEN, then the file", async () => {
    using home = temporaryHome();
    writeFileSync(join(home.path, ".vsec-token"), " hvs.file\n");
    writeFileSync(join(home.path, ".vault-token"), "hvs.never");
    const HOME = home.path;
    expect(await printed({ HOME, VSEC_TOKEN: "a", VAULT_TOKEN: "b" })).toBe("a\n");
    expect(await printed({ HOME, VSEC_TOKEN: "", VAULT_TOKEN: "b" })).toBe("b\n");
    expect(await printed({ HOME })).toBe("hvs.file\n");
    expect(await printed({ HOME, VSEC_TOKEN_PATH: join(HOME, "other") })).toBe("\n");
  });

  test("goes with requests, and is not needed", async () => {
    const answers = [envelope({ data: {} })];
    expect((await vsec(["read", "p"], { answers, env: { VSEC_TOKEN: "t" } })).requests[0]?.token).toBe("t");
    expect((await vsec(["read", "p"], { answers })).requests[0]).toEqual({ method: "GET", path: "p" });
  });

  test("with control characters is refused without being shown", async () => {
    const ran = await vsec(["read", "p"], { env: { VSEC_TOKEN: "hvs.a\u0001b" } });
    expect([ran.exitCode, ran.requests]).toEqual([2, []]);
    expect(ran.stderr).toBe("configured vsec token contains non-printable characters and cannot be used\n");
  });

  test("login verifies with the new token, stores it, and shows what it may do", async () => {
    using home = temporaryHome();
    const ran = await vsec(["login", "hvs.new"], { answers: [self], env: { HOME: home.path } });
    expect(ran.requests).toEqual([{ method: "GET", path: "auth/token/lookup-self", token: "hvs.new" }]);
    const file = join(home.path, ".vsec-token");
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["hvs.new", 0o600]);
    expect(ran.stdout).toMatch(
      /^Success! You are now authenticated\..*\n(.*\n)+\nKey +Value\n--- +-----\ntoken +hvs\.new\n/,
    );
    expect(ran.stdout).toContain('policies             ["root"]\n');
  });

  test("login replaces a looser file by one for the owner only", async () => {
    using home = temporaryHome();
    const file = join(home.path, ".vsec-token");
    writeFileSync(file, "old and longer than the new one", { mode: 0o644 });
    await vsec(["login", "hvs.new"], { answers: [self], env: { HOME: home.path } });
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["hvs.new", 0o600]);
  });

  test("login takes the token from standard input, from a pair, or from the terminal", async () => {
    const env = { VSEC_TOKEN_PATH: "/dev/null/none" };
    const ask = async (args: readonly string[], scene: object) =>
      (await vsec(["login", "-no-store", ...args], { answers: [self], env, ...scene })).requests[0]?.token;
    expect(await ask(["-"], { stdin: "hvs.new\n" })).toBe("hvs.new");
    expect(await ask(["token=hvs.new"], {})).toBe("hvs.new");
    expect(await ask([], { typed: "hvs.new" })).toBe("hvs.new");
  });

  test("login refuses a bad token and stores nothing", async () => {
    using home = temporaryHome();
    const ran = await vsec(["login", "bad"], {
      answers: [refused(403, "bad token")],
      env: { HOME: home.path },
    });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toStartWith("Error authenticating: error looking up token: Error making API request.");
    expect(() => statSync(join(home.path, ".vsec-token"))).toThrow();
  });

  test("login -token-only prints the token alone and stores nothing", async () => {
    const ran = await vsec(["login", "-token-only", "hvs.new"], { answers: [self] });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([0, "hvs.new", ""]);
  });

  test("login -no-print prints nothing, and warns of a variable that wins", async () => {
    using home = temporaryHome();
    const env = { HOME: home.path, VAULT_TOKEN: "other" };
    const ran = await vsec(["login", "-no-print", "hvs.new"], { answers: [self], env });
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toStartWith("WARNING! The VAULT_TOKEN environment variable is set!");
  });

  test("login's own errors", async () => {
    const both = await vsec(["login", "-no-store", "-no-print", "t"]);
    expect([both.exitCode, both.stderr]).toEqual([1, "-no-store and -no-print cannot be used together\n"]);
    const method = await vsec(["login", "-method=ldap"]);
    expect([method.exitCode, method.stderr.slice(0, 26)]).toEqual([1, "Unknown auth method: ldap."]);
  });
});

describe("daemon", () => {
  test("passes its flags on, and the exit code back", async () => {
    const args = ["daemon", "-once", "-log-level=debug", "-log-format", "json", "-store=/s"];
    const ran = await vsec(args, { daemonExitCode: 3 });
    expect(ran.daemon).toEqual([{ once: true, logLevel: "debug", logFormat: "json", storeDir: "/s" }]);
    expect([ran.exitCode, ran.stdout]).toEqual([3, ""]);
  });

  test("takes defaults from the environment", async () => {
    const ran = await vsec(["daemon"], { env: { VAULT_LOG_LEVEL: "warn", VSEC_STORE: "/e" } });
    expect(ran.daemon).toEqual([{ once: false, logLevel: "warn", logFormat: "standard", storeDir: "/e" }]);
  });

  test("refuses an unknown level", async () => {
    const ran = await vsec(["daemon", "-log-level=x"]);
    expect([ran.exitCode, ran.stderr, ran.daemon]).toEqual([
      1,
      "x is an unknown log level. Valid log levels are: [trace debug info warn error]\n",
      [],
    ]);
  });
});
