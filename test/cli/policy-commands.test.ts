import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { denied, empty, envelope, nothing, refused, sent, temporaryHome, vsec } from "./fake-world.ts";

const POLICY = 'path "database/creds/readonly" {\n  capabilities = ["read"]\n}\n';

describe("policy write", () => {
  const files = { "apps.hcl": POLICY };

  test("uploads a file as it is", async () => {
    const ran = await sent(["policy", "write", "apps", "apps.hcl"], { files, answers: [empty] });
    expect(ran.requests).toEqual([
      { method: "PUT", path: "sys/policies/acl/apps", body: { policy: POLICY } },
    ]);
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([0, "Success! Uploaded policy: apps\n", ""]);
  });

  test("uploads standard input, in JSON too", async () => {
    const stdin = '{"path":{"a":{"capabilities":["read"]}}}';
    const ran = await sent(["policy", "write", "apps", "-"], { stdin, answers: [empty] });
    expect(ran.requests[0]?.body).toEqual({ policy: stdin });
    const args = ["policy", "write", "-non-interactive", "apps", "-"];
    const silent = await sent(args, { stdin, answers: [empty] });
    expect(silent.requests[0]?.body).toEqual({ policy: "" });
  });

  test("lowers and trims the name, and says so", async () => {
    const ran = await sent(["policy", "write", " Apps", "apps.hcl"], { files, answers: [empty] });
    expect(ran.requests[0]?.path).toBe("sys/policies/acl/apps");
    expect(ran.stderr).toBe('Policy name was converted from " Apps" to "apps"\n');
    expect(ran.stdout).toBe("Success! Uploaded policy: apps\n");
  });

  test("a file that is not there is exit 2, and nothing is sent", async () => {
    const ran = await sent(["policy", "write", "apps", "none.hcl"]);
    expect([ran.exitCode, ran.stdout, ran.stderr, ran.requests]).toEqual([
      2,
      "",
      "Error opening policy file: open none.hcl: no such file or directory\n",
      [],
    ]);
  });

  test("a refusal is told, and the success is not", async () => {
    const answers = [refused(400, "failed to parse policy: x")];
    const ran = await sent(["policy", "write", "Apps", "apps.hcl"], { files, answers });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toBe(
      "Error uploading policy: Error making API request.\n\nURL: PUT vsec://local/v1/sys/policies/acl/apps\nCode: 400. Errors:\n\n* failed to parse policy: x\n",
    );
  });

  test.each([[[]], [["a"]], [["a", "b", "c"]]])("takes two arguments, not %j", async (args) => {
    const ran = await sent(["policy", "write", ...args]);
    const judgement = args.length < 2 ? "Not enough" : "Too many";
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      `${judgement} arguments (expected 2, got ${args.length})\n`,
    ]);
  });
});

describe("policy read, list and delete", () => {
  test("read prints the text trimmed, and JSON has it as it is", async () => {
    const answers = [envelope({ data: { name: "apps", policy: `\n${POLICY}\n\n` } })];
    const ran = await sent(["policy", "read", "APPS"], { answers });
    expect(ran.requests).toEqual([{ method: "GET", path: "sys/policies/acl/apps" }]);
    expect(ran.stdout).toBe(POLICY);
    const json = await sent(["policy", "read", "-format=json", "apps"], { answers });
    expect(JSON.parse(json.stdout)).toEqual({ policy: `\n${POLICY}\n\n` });
  });

  test("read of a policy that is not there is exit 2", async () => {
    for (const answer of [nothing, envelope({ data: { name: "x", policy: "" } })]) {
      const ran = await sent(["policy", "read", "x"], { answers: [answer] });
      expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", "No policy named: x\n"]);
    }
    const refusal = await sent(["policy", "read", "x"], { answers: [denied] });
    expect(refusal.stderr).toStartWith("Error reading policy named x: Error making API request.");
  });

  test("list prints bare names in the API's order", async () => {
    const answers = [envelope({ data: { keys: ["default", "apps", "root"] } })];
    const ran = await sent(["policy", "list"], { answers });
    expect(ran.requests).toEqual([{ method: "LIST", path: "sys/policies/acl" }]);
    expect(ran.stdout).toBe("default\napps\nroot\n");
    const json = await sent(["policy", "list", "-format=json"], { answers });
    expect(json.stdout).toBe('[\n  "default",\n  "apps",\n  "root"\n]\n');
    const refusal = await sent(["policy", "list"], { answers: [denied] });
    expect(refusal.stderr).toStartWith(
      "Error listing policies: Error making API request.\n\nURL: GET vsec://local/v1/sys/policies/acl?list=true\n",
    );
  });

  test("delete is a success whether there was one or not, and has no -format", async () => {
    const ran = await sent(["policy", "delete", "Apps"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "sys/policies/acl/apps" }]);
    expect(ran.stdout).toBe("Success! Deleted policy: apps\n");
    const kept = await sent(["policy", "delete", "default"], {
      answers: [refused(400, "cannot delete default policy")],
    });
    expect([kept.exitCode, kept.stderr.split(":")[0]]).toEqual([2, "Error deleting default"]);
    const formatted = await sent(["policy", "delete", "-format=json", "x"]);
    expect([formatted.exitCode, formatted.stderr]).toEqual([1, "flag provided but not defined: -format\n"]);
  });
});

describe("policy fmt", () => {
  const UGLY = 'path "database/creds/readonly" {\ncapabilities=["read"] # only this\n}';
  const PRETTY = 'path "database/creds/readonly" {\n  capabilities = ["read"] # only this\n}\n';

  test("rewrites a file, sends nothing, and expands a tilde", async () => {
    const path = "/home/ada/apps.hcl";
    const ran = await vsec(["policy", "fmt", "~/apps.hcl"], {
      files: { [path]: UGLY },
      env: { HOME: "/home/ada" },
    });
    expect([ran.exitCode, ran.stderr, ran.written]).toEqual([0, "", { [path]: PRETTY }]);
    expect([ran.stdout, ran.opened]).toEqual([`Success! Formatted policy: ${path}\n`, []]);
  });

  test("leaves a file alone that is in form already", async () => {
    const ran = await vsec(["policy", "fmt", "a.hcl"], { files: { "a.hcl": PRETTY } });
    expect([ran.exitCode, ran.stdout, ran.written]).toEqual([0, "Success! Formatted policy: a.hcl\n", {}]);
  });

  test("its errors are all exit 1, and write nothing", async () => {
    const missing = await vsec(["policy", "fmt", "none.hcl"]);
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      "Error reading source file: open none.hcl: no such file or directory\n",
    ]);
    const broken = await vsec(["policy", "fmt", "a.hcl"], { files: { "a.hcl": 'path "a" {' } });
    expect([broken.exitCode, broken.stdout, broken.written]).toEqual([1, "", {}]);
    expect(broken.stderr).toMatch(/^failed to parse policy: .*\bline 1, column \d+\n$/);
    const path = "/read-only/a.hcl";
    const kept = await vsec(["policy", "fmt", path], { files: { [path]: UGLY } });
    expect([kept.exitCode, kept.stdout, kept.stderr]).toEqual([
      1,
      "",
      `Error writing result: open ${path}: permission denied\n`,
    ]);
  });

  test("on disk it keeps the mode and the link, and leaves nothing beside", () => {
    using home = temporaryHome();
    const folder = join(home.path, "policies");
    mkdirSync(folder);
    const file = join(folder, "apps.hcl");
    const link = join(folder, "link.hcl");
    writeFileSync(file, UGLY);
    chmodSync(file, 0o664);
    symlinkSync(file, link);
    const main = join(import.meta.dir, "../../src/main.ts");
    const env = { PATH: process.env.PATH, HOME: home.path };
    const ran = spawnSync(process.execPath, [main, "policy", "fmt", link], { encoding: "utf8", env });
    expect([ran.status, ran.stderr]).toEqual([0, ""]);
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual([PRETTY, 0o664]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["apps.hcl", "link.hcl"]);
  });
});
