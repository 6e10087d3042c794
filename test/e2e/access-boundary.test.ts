import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { built } from "../binary/built.ts";
import { atExit, temporaryDirectory, until } from "../servers/process.ts";

/** Users and a group that no machine has: numbers are enough. */
const KEEPER = 61_001;
const CALLER = 61_002;
const STRANGER = 61_003;
const KNOCKERS = 61_010;

const missing = process.getuid?.() !== 0 || process.platform !== "linux";

/** The daemon runs as one user, who alone can read the store and its key; others have its socket and a token. */
describe.skipIf(missing)("a daemon of another user", () => {
  const directory = temporaryDirectory("vsec-boundary-");
  const home = (user: number): string => join(directory.path, String(user));
  const store = join(home(KEEPER), "store");
  const run = join(directory.path, "run");
  const socket = join(run, "vsec.sock");
  const audit = join(home(KEEPER), "audit.log");
  /** A copy where everybody can reach it, which a checkout need not be. */
  const binary = join(directory.path, "vsec");
  let daemon: ChildProcess | undefined;
  let forget: (() => void) | undefined;
  let token = "";

  /** A program as a user sees the world: only what it is told, and its own home. */
  function as(user: number, groups: readonly number[], program: string): [string, string[]] {
    const kept = groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`;
    return ["setpriv", [`--reuid=${user}`, `--regid=${user}`, kept, program]];
  }

  function command(user: number, groups: readonly number[], line: string, env: Record<string, string> = {}) {
    const [setpriv, identity] = as(user, groups, binary);
    const { PATH = "" } = process.env;
    const { status, stdout, stderr } = spawnSync(setpriv, [...identity, ...line.split(" ")], {
      cwd: home(user),
      env: { PATH, HOME: home(user), ...env },
      encoding: "utf8",
      input: 'path "cubbyhole/*" { capabilities = ["create", "read"] }',
    });
    return { code: status, stdout, stderr };
  }

  const keeper = (line: string): string => {
    const { code, stdout, stderr } = command(KEEPER, [KNOCKERS], line, { VSEC_STORE: store });
    expect([line, code, stderr]).toEqual([line, 0, expect.any(String)]);
    return stdout;
  };
  const caller = (line: string, env: Record<string, string> = {}) =>
    command(CALLER, [KNOCKERS], line, { VSEC_ADDR: `unix://${socket}`, VSEC_TOKEN: token, ...env });

  beforeAll(async () => {
    chmodSync(directory.path, 0o755);
    copyFileSync(built("vsec"), binary);
    chmodSync(binary, 0o755);
    for (const user of [KEEPER, CALLER, STRANGER]) {
      mkdirSync(home(user), { mode: 0o700 });
      chownSync(home(user), user, user);
    }
    mkdirSync(run, { mode: 0o755 });
    chownSync(run, KEEPER, KEEPER);
    keeper("operator init -seal=key-file");
    keeper("policy write narrow -");
    keeper(`audit enable file file_path=${audit}`);
    token = keeper("token create -field=token -policy=narrow -no-default-policy").trim();
    const [setpriv, identity] = as(KEEPER, [KNOCKERS], binary);
    daemon = spawn(setpriv, [...identity, "daemon", `-socket=${socket}`, `-socket-group=${KNOCKERS}`], {
      cwd: home(KEEPER),
      env: { PATH: process.env.PATH ?? "", HOME: home(KEEPER), VSEC_STORE: store },
      stdio: ["ignore", "ignore", "pipe"],
    });
    forget = atExit(() => daemon?.kill("SIGKILL"));
    let said = "";
    daemon.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    await until("the daemon's first line", () => said.includes("started"));
  });
  afterAll(async () => {
    const ended = daemon && new Promise((resolve) => daemon?.once("close", resolve));
    daemon?.kill("SIGTERM");
    await ended;
    forget?.();
    directory.remove();
  });

  test("lets a caller do what the token's policy says, and nothing else", () => {
    expect(caller("write cubbyhole/mine note=kept").code).toBe(0);
    expect(caller("read -field=note cubbyhole/mine")).toMatchObject({ code: 0, stdout: "kept" });
    for (const line of ["policy list", "token create", "secrets list", "operator seal", "audit list"]) {
      const { code, stdout, stderr } = caller(line);
      expect([line, code, stdout, stderr]).toEqual([line, 2, "", expect.stringContaining("Code: 403")]);
    }
  });

  test("is the only way in: its caller cannot read the store, the key, the audit file or another's token", () => {
    const [setpriv, identity] = as(CALLER, [KNOCKERS], "cat");
    const places = [
      join(store, "store.db"),
      audit,
      join(home(KEEPER), ".vsec-token"),
      join(home(KEEPER), ".config", "vsec"),
    ];
    for (const place of places) {
      const { status, stdout, stderr } = spawnSync(setpriv, [...identity, place], { encoding: "utf8" });
      expect([place, status, stdout, stderr]).toEqual([
        place,
        1,
        "",
        expect.stringContaining("Permission denied"),
      ]);
    }
    const direct = caller("read -field=note cubbyhole/mine", { VSEC_ADDR: "", VSEC_STORE: store });
    expect([direct.code === 0, direct.stdout]).toEqual([false, ""]);
  });

  test("answers nobody outside its group, whatever token they bring", () => {
    const env = { VSEC_ADDR: `unix://${socket}`, VSEC_TOKEN: token };
    const { code, stdout, stderr } = command(STRANGER, [], "read cubbyhole/mine", env);
    expect([code === 0, stdout, stderr]).toEqual([
      false,
      "",
      expect.stringMatching(/EACCES|permission denied/i),
    ]);
  });
});
