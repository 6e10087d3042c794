import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { World } from "./world.ts";

describe("vsec config", () => {
  let world: World;
  let file = "";
  beforeEach(() => {
    world = new World();
    file = join(world.home, ".config", "vsec", "config.json");
  });
  afterEach(() => world.remove());

  test("sets a default of later commands, which variables and flags win over", async () => {
    await world.ok("operator init -seal=key-file");
    await world.ok("config set format json");
    expect(JSON.parse(await world.ok("status"))).toMatchObject({ sealed: false });
    expect(await world.ok("status", { env: { VAULT_FORMAT: "table" } })).toStartWith("Key");
    expect(await world.ok("status -format=yaml")).toStartWith("active_time:");
    await world.ok("config unset format");
    expect(await world.ok("status")).toStartWith("Key");
  });

  test("keeps a store's place, made absolute, in a file that only its owner can read", async () => {
    await world.ok("config set store ./elsewhere");
    expect(await world.ok("config get store")).toBe(`${join(world.home, "elsewhere")}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    await world.ok("operator init -seal=key-file", { env: { VSEC_STORE: undefined } });
    expect(existsSync(join(world.home, "elsewhere", "store.db"))).toBe(true);
  });

  test("lists what is in force, and from where", async () => {
    await world.ok("config set log-level debug");
    const listed = await world.json<Record<string, object>>("config list -format=json");
    expect(listed["log-level"]).toEqual({ value: "debug", from: file, variable: "VSEC_LOG_LEVEL" });
    expect(listed.store).toMatchObject({ value: world.store, from: "environment" });
    expect(listed.address).toMatchObject({ value: "", from: "" });
  });

  test.each([
    ["config set adress https://x:1", 1, 'Unknown setting "adress". Did you mean "address"?'],
    ["config set token hvs.x", 1, 'Unknown setting "token"'],
    ["config set tls-skip-verify true", 1, 'Unknown setting "tls-skip-verify"'],
    ["config set address nonsense", 1, "Invalid value for address"],
    ["config set format xml", 1, 'Invalid value for format: "xml" is none of: table, json, yaml, raw'],
    ["config set client-timeout soon", 1, "Invalid value for client-timeout"],
    ["config get format", 2, "format is not set"],
    ["config set format", 1, ""],
  ])("vsec %s is refused, and nothing is written", async (line, code, says) => {
    const ran = await world.run(line);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: "" });
    expect(ran.stderr).toContain(says);
    expect(existsSync(file)).toBe(false);
  });

  test("a file that others can write or that is none of settings is not followed by any command", async () => {
    await world.ok("config set address https://example.invalid:8200");
    chmodSync(file, 0o666);
    const open = await world.run("status");
    expect(open).toMatchObject({ code: 1, stdout: "" });
    expect(open.stderr).toContain("chmod 600");
    expect((await world.run("config set format json")).code).toBe(1);
    chmodSync(file, 0o600);
    const before = readFileSync(file, "utf8");
    for (const content of ["{", "[]", '{"address": 7}', '{"no-such": "x"}']) {
      world.file(join(".config", "vsec", "config.json"), content);
      const broken = await world.run("status");
      expect(broken).toMatchObject({ code: 1, stdout: "" });
      expect(broken.stderr).toMatch(/correct (it|the file), or delete it/);
    }
    expect(before).toContain("example.invalid");
  });
});
