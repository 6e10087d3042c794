/** What is printed, how it is given, and by whom it may be asked. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { CREATE_USER, initDatabase } from "./database.ts";
import type { Transport } from "./transport.ts";
import { World } from "./world.ts";

export function answersOver(transport: Transport): void {
  const title = `the commands' answers (${transport})`;
  describe.skipIf(postgresMissing(18) !== undefined)(title, () => answers(transport));
}

function answers(transport: Transport): void {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await world.reachOver(transport);
    await initDatabase(world, server);
  });
  afterAll(async () => {
    await server?.stop();
    await world.close();
  });

  const column = (stdout: string, name: string): string[] => {
    const [head = "", , ...rows] = stdout.trimEnd().split("\n");
    const at = head.split(/ {4,}/).indexOf(name);
    return rows.map((row) => row.split(/ {4,}/)[at] ?? "");
  };

  test("secrets list shows the mounts, and with -detailed their settings", async () => {
    const plain = await world.ok("secrets list");
    expect(plain.split("\n")[0]?.split(/ {4,}/)).toEqual(["Path", "Type", "Accessor", "Description"]);
    expect(column(plain, "Path")).toEqual(["cubbyhole/", "database/", "identity/", "sys/"]);
    const detailed = await world.ok("secrets list -detailed");
    expect(detailed.split("\n")[0]?.split(/ {4,}/)).toEqual([
      ...[
        "Path",
        "Plugin",
        "Accessor",
        "Default TTL",
        "Max TTL",
        "Force No Cache",
        "Replication",
        "Seal Wrap",
      ],
      ...["External Entropy Access", "Options", "Description", "UUID", "Version", "Running Version"],
      ...["Running SHA256", "Deprecation Status"],
    ]);
    expect(column(detailed, "Default TTL")).toEqual(["n/a", "system", "system", "n/a"]);
  });

  test("a mount is tuned, moved and disabled", async () => {
    expect(await world.ok("secrets enable -path=team/db -description=First -max-lease-ttl=8h database")).toBe(
      "Success! Enabled the database secrets engine at: team/db/\n",
    );
    expect(await world.ok("secrets tune -default-lease-ttl=2h -description= team/db")).toBe(
      "Success! Tuned the secrets engine at: team/db/\n",
    );
    type Mounts = Record<string, { description: string; config: Record<string, unknown> }>;
    const mounts = await world.json<Mounts>("secrets list");
    expect(mounts["team/db/"]).toMatchObject({
      description: "",
      config: { default_lease_ttl: 7200, max_lease_ttl: 28800 },
    });
    await world.ok("secrets move team/db other");
    const disabled = "Success! Disabled the secrets engine (if it existed) at: other/\n";
    expect(await world.ok("secrets disable other")).toBe(disabled);
    expect(await world.ok("secrets disable other")).toBe(disabled);
    expect(column(await world.ok("secrets list"), "Path")).toEqual([
      "cubbyhole/",
      "database/",
      "identity/",
      "sys/",
    ]);
  });

  test("path-help describes a mount and a path", async () => {
    const mount = await world.ok("path-help database");
    for (const path of ["config/:name", "creds/:name", "roles/:name", "rotate-root/:name"])
      expect(mount).toContain(path);
    const path = await world.ok("path-help database/creds/app");
    expect(path).toStartWith("Request:        creds/app\nMatching Route: ");
    expect(await world.json("path-help database")).toHaveProperty("openapi");
  });

  test("what is written is read, listed and deleted", async () => {
    const path = "database/roles/temporary";
    await world.ok(`write ${path} db_name=pg creation_statements=SELECT default_ttl=90`);
    expect(await world.ok("list database/roles")).toBe("Keys\n----\napp\ntemporary\n");
    expect(await world.ok(`read -field=default_ttl ${path}`)).toBe("90");
    expect(await world.ok(`read -field=creation_statements -format=json ${path}`)).toBe('[\n  "SELECT"\n]');
    const deleted = `Success! Data deleted (if it existed) at: ${path}\n`;
    expect(await world.ok(`delete ${path}`)).toBe(deleted);
    expect(await world.ok(`delete ${path}`)).toBe(deleted);
    expect(await world.run(`read ${path}`)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: `No value found at ${path}\n`,
    });
    expect(await world.run("list -format=json database/nothing")).toMatchObject({ code: 2, stdout: "{}\n" });
  });

  test("data comes from words, files and standard input", async () => {
    const path = "database/roles/given";
    const statements = `${CREATE_USER}\n`;
    world.file("statements.sql", statements);
    const role = { db_name: "pg", creation_statements: [statements], default_ttl: 60 };
    world.file("role.json", JSON.stringify(role));
    const ways = [
      { line: `write ${path} db_name=pg creation_statements=@statements.sql default_ttl=1m`, stdin: "" },
      { line: `write ${path} db_name=pg default_ttl=60s creation_statements=-`, stdin: statements },
      { line: `write ${path} @role.json`, stdin: "" },
      { line: `write ${path} -`, stdin: JSON.stringify(role) },
    ];
    for (const { line, stdin } of ways) {
      await world.ok(line, { stdin });
      expect((await world.json<{ data: object }>(`read ${path}`)).data).toMatchObject({
        db_name: "pg",
        default_ttl: 60,
      });
      await world.ok(`delete ${path}`);
    }
    await world.ok(["write", path, "db_name=pg", "creation_statements=\\@literal"]);
    expect(await world.ok(`read -field=creation_statements ${path}`)).toBe("[@literal]");
    await world.ok(`delete ${path}`);
  });

  test("the same answer comes as a table, JSON, YAML and as it was received", async () => {
    const path = "database/roles/app";
    const table = await world.ok(`read ${path}`);
    expect(table).toMatch(/^Key {22}Value\n-{3} {22}-{5}\n/);
    expect(table).toContain("\ndefault_ttl              1h\n");
    const json = await world.ok(`read -format=json ${path}`);
    expect(json).toStartWith('{\n  "request_id": "');
    expect(JSON.parse(json)).toMatchObject({
      lease_id: "",
      lease_duration: 0,
      renewable: false,
      warnings: null,
    });
    const yaml = await world.ok(`read -format=yaml ${path}`);
    expect(Bun.YAML.parse(yaml)).toMatchObject({ data: { default_ttl: 3600 } });
    expect(
      yaml
        .split("\n")
        .filter((row) => /^\w/.test(row))
        .map((row) => row.split(":")[0]),
    ).toEqual([
      ...["data", "lease_duration", "lease_id", "mount_type", "renewable", "request_id", "warnings"],
    ]);
    const raw = JSON.parse(await world.ok(`read -format=raw ${path}`));
    expect(raw.data).toEqual(JSON.parse(json).data);
  });

  test.each([
    [{ VAULT_FORMAT: "json" }, "{"],
    [{ VSEC_FORMAT: "yaml", VAULT_FORMAT: "json" }, "data:"],
  ])("with %j the format is the variable's, and a flag wins", async (env, start) => {
    expect(await world.ok("read database/roles/app", { env })).toStartWith(start);
    expect(await world.ok("read -format=table database/roles/app", { env })).toStartWith("Key ");
  });

  test("a field alone is printed as it is, with no line break into a pipe", async () => {
    const line = "read -field=password database/creds/app";
    expect(await world.ok(line)).toMatch(/^[\w-]{20}$/);
    expect(await world.ok("read -field=lease_duration database/creds/app")).toBe("3600");
    expect(await world.run("read -field=nothing database/roles/app")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'Field "nothing" not present in secret\n',
    });
  });

  test("the token is VSEC_TOKEN's, else VAULT_TOKEN's, else the file's; none is refused", async () => {
    const token = (await world.ok("print token")).trim();
    const code = async (env: Record<string, string | undefined>): Promise<number | null> =>
      (await world.run("secrets list", { env })).code;
    const nowhere = { VSEC_TOKEN_PATH: "nowhere" };
    expect(await code({ ...nowhere, VAULT_TOKEN: token })).toBe(0);
    expect(await code({ ...nowhere, VSEC_TOKEN: token, VAULT_TOKEN: "hvs.wrong" })).toBe(0);
    expect(await code({ VAULT_TOKEN: "hvs.wrong" })).toBe(2);
    const none = await world.run("secrets list", { env: nowhere });
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain(`URL: GET ${world.address}/v1/sys/mounts\n`);
    expect(none.stderr).toContain("Code: 403. Errors:\n\n* permission denied\n");
    const wrong = await world.run("secrets list", { env: { VSEC_TOKEN: "hvs.wrong" } });
    expect(wrong.stderr).toContain("2 errors occurred:\n\t* permission denied\n\t* invalid token\n");
  });

  test("VAULT_ADDR is not obeyed", async () => {
    expect((await world.run("secrets list", { env: { VAULT_ADDR: "http://127.0.0.1:1" } })).code).toBe(0);
  });

  test("the encryption key is rotated, and what was written before is still read", async () => {
    const before = await world.json<{ term: number }>("operator key-status");
    const rotated = await world.ok("operator rotate");
    expect(rotated).toMatch(
      /^Success! Rotated key\n\nKey Term {12}2\nInstall Time {8}\d\d \w{3} \d\d \d\d:\d\d UTC\nEncryption Count {4}\d+\n$/,
    );
    expect(await world.json<{ term: number }>("operator key-status")).toMatchObject({
      term: before.term + 1,
    });
    expect(await world.ok("read -field=db_name database/roles/app")).toBe("pg");
    await world.ok("read database/creds/app");
  });

  test("-no-store-token keeps the token out of the home directory, and JSON has it for a script", async () => {
    const other = new World();
    try {
      await other.reachOver(transport);
      const init = await other.json<{ root_token: string; seal: { type: string } }>(
        "operator init -seal=key-file -no-store-token",
      );
      expect(init.seal.type).toBe("key-file");
      expect(await Bun.file(other.tokenFile).exists()).toBe(false);
      expect((await other.run("secrets list")).code).toBe(2);
      await other.ok("secrets list", { env: { VSEC_TOKEN: init.root_token } });
    } finally {
      await other.close();
    }
  });
}
