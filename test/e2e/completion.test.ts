import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { initDatabase, readCreds } from "./database.ts";
import { World } from "./world.ts";

describe.skipIf(postgresMissing(18) !== undefined)("completing from the store", () => {
  const world = new World();
  let server: PostgresServer;
  let leaseId = "";
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await initDatabase(world, server, { roles: { app: "1h", reports: "1h" } });
    await world.ok("secrets enable -version=2 kv");
    await world.ok("auth enable userpass");
    await world.ok("kv put kv/team/db password=x");
    leaseId = (await readCreds(world)).lease_id;
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  const complete = async (words: string, typed: string): Promise<readonly string[]> =>
    (await world.ok(["complete", words, typed])).split("\n").filter(Boolean);

  test.each([
    ["read", "data", ["database/"]],
    ["read", "database/c", ["database/config/", "database/creds/"]],
    ["read", "database/creds/", ["database/creds/app", "database/creds/reports"]],
    ["read", "database/creds/r", ["database/creds/reports"]],
    ["write", "database/rotate-root/", ["database/rotate-root/pg"]],
    ["secrets disable", "", ["database/", "kv/"]],
    ["auth disable", "u", ["userpass/"]],
    ["policy read", "d", ["default"]],
    ["lease revoke", "database/creds/", ["database/creds/app/"]],
    ["kv get", "", ["kv/"]],
    ["kv get", "kv/t", ["kv/team/"]],
    ["kv get", "kv/team/", ["kv/team/db"]],
    ["read", "nothing/", []],
    ["status", "", []],
  ])("vsec %s %s", async (words, typed, expected) => {
    const found = await complete(words, typed);
    expect(found.filter((it) => !it.startsWith("cubbyhole") && !it.startsWith("identity"))).toEqual(
      expected.filter((it) => it !== ""),
    );
  });

  test("knows the ids of leases", async () => {
    expect(await complete("lease lookup", "database/creds/app/")).toEqual([leaseId]);
  });

  test("issues nothing and shows no failure", async () => {
    const before = await world.json<readonly string[]>("list sys/leases/lookup/database/creds/app");
    await complete("read", "database/creds/app");
    expect(await world.json<readonly string[]>("list sys/leases/lookup/database/creds/app")).toEqual(before);
    const refused = await world.run(["complete", "read", "database/"], { env: { VSEC_TOKEN: "hvs.forged" } });
    expect(refused).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test.skipIf(!existsSync("/bin/bash"))("reaches a person through bash", async () => {
    const script = join(world.home, "vsec.bash");
    writeFileSync(script, await world.ok("completion bash"));
    const program =
      `source ${script}; compopt() { :; }; COMP_WORDS=(vsec read database/creds/); COMP_CWORD=2; _vsec; ` +
      `printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = {
      PATH: `${dirname(world.binary)}:${process.env.PATH ?? ""}`,
      HOME: world.home,
      VSEC_STORE: world.store,
    };
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program], { env, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({
      stdout: "database/creds/app\ndatabase/creds/reports\n",
      stderr: "",
    });
  });
});
