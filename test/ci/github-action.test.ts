import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { formsOf } from "../../packaging/github-action/runner.mjs";
import { parseWanted } from "../../packaging/github-action/wanted.mjs";
import { ROOT } from "../binary/built.ts";
import { usersOn } from "../e2e/database.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { type CiWorld, ciWorld, startTokenEndpoint, type TokenEndpoint } from "./world.ts";

const ACTION = join(ROOT, "packaging", "github-action");
const manifest = parse(readFileSync(join(ACTION, "action.yml"), "utf8"));

/** What a runner keeps of a step: name to value. */
function readFiles(text: string): Record<string, string> {
  const found = [...text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2\n/gm)];
  return Object.fromEntries(found.map(([, name, , value]) => [name, value]));
}

describe.skipIf(postgresMissing(18) !== undefined)("the GitHub Action", () => {
  let server: PostgresServer;
  let ci: CiWorld;
  let endpoint: TokenEndpoint;
  let directory = "";
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    ci = await ciWorld(server);
    endpoint = await startTokenEndpoint(ci);
  });
  afterAll(async () => {
    endpoint?.close();
    ci?.world.remove();
    await server?.stop();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "vsec-action-"));
  });
  const fileOf = (name: string): string => join(directory, name);
  const kept = (name: string): Record<string, string> => readFiles(readFileSync(fileOf(name), "utf8"));

  /** Runs an entry point of the action as a runner does. */
  async function step(entry: "main" | "post", inputs: Readonly<Record<string, string>>) {
    for (const name of ["GITHUB_OUTPUT", "GITHUB_ENV"]) writeFileSync(fileOf(name), "");
    if (entry === "main") writeFileSync(fileOf("GITHUB_STATE"), "");
    const defaults = Object.entries(manifest.inputs as Record<string, { default?: string }>);
    const given = {
      ...Object.fromEntries(defaults.map(([name, it]) => [name, it.default ?? ""])),
      ...inputs,
    };
    const state = Object.entries(kept("GITHUB_STATE")).map(([name, value]) => [`STATE_${name}`, value]);
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      VSEC_STORE: ci.world.store,
      ...Object.fromEntries(
        Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
      ...Object.fromEntries(state),
      ...Object.fromEntries(
        ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE"].map((name) => [name, fileOf(name)]),
      ),
      ACTIONS_ID_TOKEN_REQUEST_URL: endpoint.url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: endpoint.bearer,
      // The store's key lies in the home directory of the user who made it.
      XDG_CONFIG_HOME: join(ci.world.home, ".config"),
    };
    const child = spawn("node", [join(ACTION, manifest.runs[entry])], { cwd: directory, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, output };
  }

  const inputs = (secrets: string): Record<string, string> => ({
    role: "deploy",
    vsec: ci.world.binary,
    secrets,
  });

  test("logs in by the job's identity, issues a credential, and revokes it in the end", async () => {
    const secrets = "database/creds/app username | DB_USER\ndatabase/creds/app password | DB_PASSWORD";
    const main = await step("main", inputs(secrets));
    expect(main).toMatchObject({ code: 0 });
    const { DB_USER = "", DB_PASSWORD = "" } = kept("GITHUB_ENV");
    expect(kept("GITHUB_OUTPUT")).toEqual({ DB_USER, DB_PASSWORD });
    const client = await server.connect({ user: DB_USER, password: DB_PASSWORD });
    await client.end();
    expect(await usersOn(server)).toEqual([DB_USER]);
    const post = await step("post", {});
    expect(post).toMatchObject({ code: 0 });
    expect(await usersOn(server)).toEqual([]);
  });

  test("masks every value before it is handed on, and the tokens, and prints them nowhere else", async () => {
    const { output } = await step(
      "main",
      inputs("database/creds/app password | P\nkv/data/deploy key | KEY"),
    );
    const masks = output.split("\n").filter((line) => line.startsWith("::add-mask::"));
    const masked = masks.map((line) => line.slice("::add-mask::".length));
    const { P = "", KEY = "" } = kept("GITHUB_ENV");
    const { token = "" } = kept("GITHUB_STATE");
    expect(KEY).toBe("line one\nline two");
    for (const secret of [P, token, "line one", "line two", btoa(P).replace(/=+$/, "").slice(0, -1)])
      expect(masked.some((mask) => mask.includes(secret))).toBe(true);
    const rest = output.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    expect(rest.join("\n").trim()).toBe("");
    await step("post", {});
  });

  test("a step that fails halfway has its token revoked, and all that it had issued", async () => {
    const main = await step(
      "main",
      inputs("database/creds/app password\ndatabase/creds/absent password | X"),
    );
    expect(main.code).toBe(1);
    expect(main.output).toContain("::error::");
    expect(await usersOn(server)).toHaveLength(1);
    await step("post", {});
    expect(await usersOn(server)).toEqual([]);
  });

  test("with a token of its user's it ends what it had issued, and leaves the token", async () => {
    const token = (await ci.world.ok("token create -policy=deploy -field=token")).trim();
    const given = { ...inputs("database/creds/app password\nkv/data/deploy key"), role: "", token };
    expect(await step("main", given)).toMatchObject({ code: 0 });
    expect(await usersOn(server)).toHaveLength(1);
    expect(await step("post", given)).toMatchObject({ code: 0 });
    expect(await usersOn(server)).toEqual([]);
    await ci.world.ok("token lookup", { env: { VSEC_TOKEN: token } });
    await ci.world.ok("token revoke -self", { env: { VSEC_TOKEN: token } });
  });

  test.each([
    ["a role that does not fit", { role: "absent" }, "could not be found"],
    ["an audience that is not bound", { audience: "other" }, "audience"],
    ["no role and no token", { role: "" }, "role: name a role"],
    ["a program that is not there", { vsec: "/nowhere/vsec" }, "cannot be run"],
    ["a field that is not there", { secrets: "kv/data/deploy absent" }, 'has no field "absent"'],
    ["nothing that is wanted", { secrets: " " }, "nothing is wanted"],
  ])("%s fails the step, and says why", async (_, wrong, says) => {
    const { code, output } = await step("main", { ...inputs("kv/data/deploy key"), ...wrong });
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`::error::.*${says}`));
    await step("post", {});
    rmSync(directory, { recursive: true, force: true });
  });
});

describe("the input `secrets`", () => {
  test("is lines of path, field and name; what has no name gets one", () => {
    expect(
      parseWanted("# users\ndatabase/creds/app username\n kv/data/a key | KEY ; kv/data/b x-y\n"),
    ).toEqual([
      { path: "database/creds/app", field: "username", name: "APP_USERNAME" },
      { path: "kv/data/a", field: "key", name: "KEY" },
      { path: "kv/data/b", field: "x-y", name: "B_X_Y" },
    ]);
  });

  test.each(["path", "a b c", "a b | C | D", "a b | 1X", "a b |", "a x | N\nb y | N"])(
    "%p is refused",
    (text) => {
      expect(() => parseWanted(text)).toThrow("secrets:");
    },
  );
});

describe("masks", () => {
  test("cover a secret within longer base64, wherever it stands in it", () => {
    const secret = "p4ss-word!";
    for (const before of ["", "a", "ab", "user:"]) {
      for (const after of ["", "x", "xy"]) {
        const printed = Buffer.from(before + secret + after).toString("base64");
        expect(formsOf(secret).some((form) => printed.includes(form))).toBe(true);
      }
    }
  });

  test("cover each line of a secret, and leave out what is too short to mask", () => {
    const forms = formsOf("first line\nx\nlast line");
    expect(forms).toContain("first line");
    expect(forms).toContain("last line");
    expect(forms).not.toContain("x");
    expect(forms).not.toContain("");
  });
});
