import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { execPlugin } from "../../../../src/engines/database/plugins/exec/plugin.ts";
import { temporaryDirectory, until } from "../../../servers/process.ts";
import { context, doomed, failureOf } from "../plugin-context.ts";

setDefaultTimeout(30_000);
const scratch = temporaryDirectory("vsec-exec-");
afterAll(() => scratch.remove());
const directory = join(scratch.path, "plugins");
mkdirSync(directory, { mode: 0o755 });
let count = 0;

/** A permitted program with this body; the request is in the file that `$REQUEST` names, and below it. */
function program(body: string, mode = 0o755): string {
  count += 1;
  const file = join(directory, `program-${count}`);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, mode);
  return file;
}

function open(file: string, more: JsonObject = {}): DatabasePlugin {
  return execPlugin(directory).open({ program: file, ...more }, context);
}

/** What a program was asked. */
async function asked(
  work: (plugin: DatabasePlugin) => Promise<unknown>,
  more: JsonObject = {},
): Promise<unknown> {
  const file = join(scratch.path, `request-${count + 1}`);
  await work(
    open(program(`cat > ${file}; echo '{"ok": true, "users": [{"username": "u", "gone": true}]}'`), more),
  );
  return JSON.parse(readFileSync(file, "utf8"));
}

const AT = Date.UTC(2040, 1, 2, 3, 4, 5);
const NEW_USER = {
  username: "u",
  password: "hunter2 'x\"",
  expiresAt: AT,
  creationStatements: ["one", "two"],
};

describe("what the program is asked", () => {
  const connection = { username: "root", password: "r00t", url: "https://x" };

  test.each<[string, (plugin: DatabasePlugin) => Promise<unknown>, JsonObject]>([
    ["verify", (plugin) => plugin.verify(), {}],
    [
      "create",
      (plugin) => plugin.newUser(NEW_USER),
      {
        username: "u",
        password: NEW_USER.password,
        expires_at: "2040-02-02T03:04:05.000Z",
        statements: ["one", "two"],
      },
    ],
    [
      "renew",
      (plugin) => plugin.setExpiration("u", AT, ["s"]),
      { username: "u", expires_at: "2040-02-02T03:04:05.000Z", statements: ["s"] },
    ],
    [
      "rotate",
      (plugin) => plugin.setPassword("u", "new", []),
      { username: "u", password: "new", statements: [] },
    ],
    ["revoke", (plugin) => plugin.deleteUsers(doomed("u")), { users: [{ username: "u", statements: [] }] }],
    ["list", async (plugin) => expect(await plugin.listUsers?.()).toEqual(["u"]), {}],
  ])("%s", async (operation, work, body) => {
    expect(await asked(work, connection)).toEqual({ protocol: 1, operation, connection, ...body });
  });

  test("details reach it as they are, vsec's own do not", async () => {
    const more = {
      timeout: "5s",
      max_processes: 2,
      arguments: ["a"],
      environment: ["A=1"],
      deep: { x: [1, true] },
    };
    expect(await asked((plugin) => plugin.verify(), more)).toMatchObject({
      connection: { deep: { x: [1, true] } },
    });
    const request = (await asked((plugin) => plugin.verify(), more)) as { connection: JsonObject };
    expect(Object.keys(request.connection)).toEqual(["deep"]);
  });

  test("arguments and environment are as configured, and nothing else is there", async () => {
    process.env.VSEC_TEST_LEAK = "leaked";
    const file = join(scratch.path, "seen");
    const body = `cat >/dev/null; { printf '%s|' "$@"; pwd; env; } > ${file}; echo '{"ok":true}'`;
    const details = { arguments: '["-x", "a b", "$HOME"]', environment: { REGION: "eu west" } };
    await open(program(body), details).verify();
    const seen = readFileSync(file, "utf8");
    expect(seen).toStartWith("-x|a b|$HOME|/\n");
    const names = seen
      .split("\n")
      .slice(1)
      .map((line) => line.split("=")[0])
      .filter((name) => name !== "");
    // The shell itself adds the last three.
    expect(names.filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name ?? "")).sort()).toEqual([
      "LANG",
      "PATH",
      "REGION",
    ]);
    expect(seen).toContain("REGION=eu west");
  });

  test("a password is nowhere but in the request", async () => {
    const file = join(scratch.path, "cmdline");
    const body = `cat >/dev/null; tr '\\0' ' ' < /proc/$$/cmdline > ${file}; env >> ${file}; echo '{"ok":true}'`;
    await open(program(body), { username: "root", password: "r00t-s3cret" }).newUser(NEW_USER);
    expect(readFileSync(file, "utf8")).not.toMatch(/hunter2|r00t-s3cret/);
  });

  test("a program that does not read its request is no failure", async () => {
    const big = { filler: "x".repeat(500_000) };
    await open(program(`echo '{"ok":true}'`), big).verify();
  });
});

describe("what the program answers", () => {
  const answering = (answer: unknown) =>
    open(program(`cat >/dev/null; cat <<'END'\n${JSON.stringify(answer)}\nEND`));
  const saying = (kind: string) =>
    answering({ ok: false, error: { kind, message: "no \u001b[2J\nway", code: 42 } });

  test.each([
    ["refused", "statement"],
    ["auth", "auth"],
    ["unreachable", "unreachable"],
    ["ambiguous", "ambiguous"],
    ["something new", "ambiguous"],
  ])("an error of kind %s is %s here, in one printable line", async (kind, expected) => {
    const error = await failureOf(saying(kind).newUser(NEW_USER));
    expect(error).toMatchObject({ name: "DatabaseError", kind: expected, serverCode: "42" });
    expect(error.message).toEndWith(" (create): no  [2J way");
  });

  test("a system without an expiry says that renewal is unsupported, which is fine; creation is not", async () => {
    await saying("unsupported").setExpiration("u", AT, []);
    expect(await failureOf(saying("unsupported").newUser(NEW_USER))).toMatchObject({ kind: "statement" });
    expect(await failureOf(saying("refused").setExpiration("u", AT, []))).toMatchObject({
      kind: "statement",
    });
  });

  test.each<[string, string, string]>([
    ["no answer", "cat >/dev/null", "its answer is not JSON"],
    ["half an answer", `cat >/dev/null; printf '{"ok": tr'`, "its answer is not JSON"],
    ["a list", `cat >/dev/null; echo '[]'`, "its answer is not a JSON object"],
    [
      "neither yes nor no",
      `cat >/dev/null; echo '{"ok":"true"}'`,
      'its answer has neither "ok": true nor an error with a message',
    ],
    [
      "an exit code",
      `cat >/dev/null; echo '{"ok":true}'; echo oops >&2; exit 3`,
      "it ended with exit code 3: oops",
    ],
    ["a signal", "cat >/dev/null; kill -9 $$", "it was ended by SIGKILL"],
    ["too much", "cat >/dev/null; head -c 2000000 /dev/zero", "it printed more than 1048576 bytes"],
  ])("%s leaves it open what happened", async (_, body, text) => {
    const error = await failureOf(open(program(body)).newUser(NEW_USER));
    expect(error).toMatchObject({ kind: "ambiguous" });
    expect(error.message).toEndWith(`(create): ${text}`);
  });

  test("a user counts as gone only when the program says so", async () => {
    const users = [
      { username: "a", gone: true },
      { username: "b", gone: false, error: "busy" },
      { username: "c", gone: "true" },
    ];
    const outcomes = await answering({ ok: true, users }).deleteUsers(doomed("a", "b", "c", "d"));
    expect(outcomes.map((outcome) => outcome?.message ?? null)).toEqual([
      null,
      "busy",
      "the program says that the user is not gone",
      "the program did not say whether the user is gone",
    ]);
    expect(await answering({ ok: true }).deleteUsers(doomed("a"))).toMatchObject([{ kind: "statement" }]);
  });

  test("a list of users is names, or none that is to be trusted", async () => {
    expect(await answering({ ok: true, users: [] }).listUsers?.()).toEqual([]);
    for (const answer of [{ ok: true }, { ok: true, users: ["u"] }, { ok: true, users: [{ name: "u" }] }]) {
      const listing = answering(answer).listUsers?.() ?? Promise.resolve();
      expect(await failureOf(listing)).toMatchObject({ kind: "ambiguous" });
    }
    const unable = await failureOf(saying("unsupported").listUsers?.() ?? Promise.resolve());
    expect(unable).toMatchObject({ status: 400, message: expect.stringContaining("cannot list its users") });
  });

  test("a preflight makes nobody with a program that could not take it away again", async () => {
    const probe = { ...NEW_USER, creationStatements: [] };
    const rehearsed = async (plugin: DatabasePlugin) => (await plugin.trial?.())?.rehearse(probe);
    expect(await rehearsed(answering({ ok: true, users: [{ username: "u", gone: true }] }))).toEqual([]);
    expect(await rehearsed(answering({ ok: true, users: [{ username: "u", error: "who?" }] }))).toEqual([
      { what: "take a user away", words: "who?", keepsUsers: true },
    ]);
    expect(await failureOf(rehearsed(saying("unreachable")))).toMatchObject({ kind: "unreachable" });
  });

  test("many users are asked for in requests of a hundred", async () => {
    const file = join(scratch.path, "counts");
    const body = `grep -o '"statements"' | wc -l >> ${file}; echo '{"ok":true}'`;
    await open(program(body)).deleteUsers(doomed(...Array.from({ length: 250 }, (_, index) => `u${index}`)));
    expect(readFileSync(file, "utf8").split("\n").map(Number).slice(0, 3)).toEqual([100, 100, 50]);
  });

  test("secrets that a program complains with are not repeated", async () => {
    const plugin = open(program("cat >&2; exit 1"), { password: "r00t-s3cret", api_token: "t0k3n-value" });
    const error = await failureOf(plugin.newUser({ ...NEW_USER, password: "hunter2-and-more" }));
    expect(error.message).toContain("[password]");
    for (const secret of ["r00t-s3cret", "t0k3n-value", "hunter2"])
      expect(error.message).not.toContain(secret);
  });
});

describe("a program that does not end", () => {
  test("is killed with all that it started when its time is up", async () => {
    const file = join(scratch.path, "pids");
    const body = `cat >/dev/null; sleep 1000 & echo "$$ $!" > ${file}; wait`;
    const error = await failureOf(open(program(body), { timeout: "1s" }).newUser(NEW_USER));
    expect(error).toMatchObject({ kind: "ambiguous" });
    expect(error.message).toEndWith("it did not end within 1 s");
    for (const pid of readFileSync(file, "utf8").trim().split(" ")) await until("its end", () => isGone(pid));
  });

  test("leaves nothing behind when it ends and what it started does not", async () => {
    const file = join(scratch.path, "left");
    const body = `cat >/dev/null; sleep 1000 & echo $! > ${file}; echo '{"ok":true}'`;
    await open(program(body)).verify();
    await until("its child's end", () => isGone(readFileSync(file, "utf8").trim()));
  });

  test("is killed when the connection is closed", async () => {
    const file = join(scratch.path, "closing");
    const plugin = open(program(`cat >/dev/null; echo $$ > ${file}; sleep 1000`));
    const failure = failureOf(plugin.verify());
    await until("it to run", () => existsSync(file) && readFileSync(file, "utf8") !== "");
    await plugin.close();
    expect(await failure).toMatchObject({ kind: "ambiguous" });
  });

  test("a creation that would get its turn too late is given up before it begins", async () => {
    const file = join(scratch.path, "held");
    const body = `request=$(cat); case $request in *create*) echo created >> ${file}.made;; esac; echo $$ > ${file}; sleep 1000`;
    const plugin = open(program(body), { max_processes: 1, timeout: "40s" });
    const held = failureOf(plugin.verify());
    await until("it to run", () => existsSync(file) && readFileSync(file, "utf8") !== "");
    const error = await failureOf(plugin.newUser(NEW_USER));
    expect(error).toMatchObject({
      kind: "unreachable",
      message: "all 1 processes of the program are in use",
    });
    expect(existsSync(`${file}.made`)).toBe(false);
    await plugin.close();
    await held;
  });

  test("no more run at once than max_processes", async () => {
    const folder = join(scratch.path, "locks");
    mkdirSync(folder);
    const body = `cat >/dev/null; mkdir ${folder}/lock || { echo '{}'; exit 0; }; sleep 0.05; rmdir ${folder}/lock; echo '{"ok":true}'`;
    const plugin = open(program(body), { max_processes: 1 });
    await Promise.all(Array.from({ length: 5 }, () => plugin.verify()));
  });
});

function isGone(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return true;
  return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

describe("which programs may run", () => {
  const verify = (file: string, place = directory) =>
    execPlugin(place).open({ program: file }, context).verify();
  const fine = `cat >/dev/null; echo '{"ok":true}'`;

  test.each(["/bin/sh", `${directory}x/program`, directory])(
    "%s is refused: it is not in the folder",
    (file) => {
      const error = (() => {
        try {
          execPlugin(directory).open({ program: file }, context);
          return undefined;
        } catch (refusal) {
          return refusal;
        }
      })();
      expect(error).toMatchObject({ status: 400 });
      expect(String(error)).toContain(`program must lie in ${directory}`);
    },
  );

  test.each(["", "program", `${directory}/../x`, `${directory}/./x`, `${directory}//x`])(
    "%p is no path for one",
    (file) => {
      expect(() => execPlugin(directory).open({ program: file }, context)).toThrow(
        /program (must be|cannot)/,
      );
    },
  );

  test("one that is permitted runs, also through a link in the folder", async () => {
    const file = program(fine);
    await verify(file);
    symlinkSync(file, join(directory, "link"));
    await verify(join(directory, "link"));
  });

  test.each<[string, () => string, string]>([
    ["that others can write", () => program(fine, 0o757), "can be written by others"],
    ["that its group can write", () => program(fine, 0o775), "can be written by others"],
    ["that is not executable", () => program(fine, 0o644), "is not an executable file"],
    ["that is not there", () => join(directory, "nothing"), "does not exist"],
    ["in a folder that others can write", () => inFolder("loose", 0o777), "can be written by others"],
    [
      "that leads to a file that others can write",
      () => linkTo(join(scratch.path, "loose-file"), 0o777),
      "can be written by others",
    ],
  ])("one %s is refused", async (_, make, reason) => {
    const error = await failureOf(verify(make()));
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).toContain(`the program is not permitted: `);
    expect(error.message).toEndWith(reason);
  });

  test.skipIf(process.getuid?.() !== 0)("one that is another user's is refused", async () => {
    const file = program(fine);
    chownSync(file, 65_534, 65_534);
    expect((await failureOf(verify(file))).message).toEndWith(
      "belongs neither to root nor to the user that vsec runs as",
    );
  });

  test("without the folder nothing may run", async () => {
    const nowhere = join(scratch.path, "nowhere");
    expect((await failureOf(verify(join(nowhere, "x"), nowhere))).message).toEndWith(
      `${nowhere} does not exist`,
    );
  });

  function inFolder(name: string, mode: number): string {
    const folder = join(directory, name);
    mkdirSync(folder);
    writeFileSync(join(folder, "x"), `#!/bin/sh\n${fine}\n`);
    chmodSync(join(folder, "x"), 0o755);
    chmodSync(folder, mode);
    return join(folder, "x");
  }

  function linkTo(target: string, mode: number): string {
    writeFileSync(target, `#!/bin/sh\n${fine}\n`);
    chmodSync(target, mode);
    symlinkSync(target, join(directory, "to-loose"));
    return join(directory, "to-loose");
  }
});

describe("details that are wrong", () => {
  test.each<[JsonObject, string]>([
    [{ arguments: [1] }, "arguments must be a list of strings"],
    [{ environment: ["=x"] }, "environment must be a list of NAME=value"],
    [{ timeout: "soon" }, "invalid timeout"],
    [{ max_processes: 1000 }, "max_processes must be a whole number from 1 to 64"],
  ])("%p", (more, text) => {
    expect(() => open(join(directory, "x"), more)).toThrow(text);
  });
});
