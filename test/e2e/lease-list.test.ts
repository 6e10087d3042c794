import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, readCreds } from "./database.ts";
import { atTerminal, terminalMissing } from "./terminal.ts";
import { World } from "./world.ts";

interface Listed {
  readonly id: string;
  readonly principal: string;
  readonly ttl: number;
}

describe.skipIf(postgresMissing(18) !== undefined)("vsec lease list", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await initDatabase(world, server, { roles: { long: "10h", short: "1h", soon: "5m" } });
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });
  const read = (role: string) => readCreds(world, `database/creds/${role}`);

  test("says that there are none", async () => {
    expect(await world.ok("lease list")).toBe("No leases.\n");
    expect(await world.json<Listed[]>("lease list")).toEqual([]);
  });

  test("shows those that end first at the top, with what the database calls them", async () => {
    const long = await read("long");
    const soon = await read("soon");
    const short = await read("short");
    const listed = await world.json<Listed[]>("lease list");
    expect(listed.map(({ id }) => id)).toEqual([soon.lease_id, short.lease_id, long.lease_id]);
    expect(listed[0]?.principal).toBe(soon.data.username);
    expect(listed[0]?.ttl).toBeWithin(1, 301);
    const table = await world.ok("lease list database/creds/long");
    expect(table.split("\n")[2]).toMatch(
      new RegExp(`^${long.lease_id} +(9h59m|10h)\\S* +${long.data.username} .*active`),
    );
    expect(table).not.toContain(short.lease_id);
  });

  test("shows as many as asked for, and says that there are more", async () => {
    const { stdout, stderr } = await world.run("lease list -limit=2 -format=json");
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stderr).toBe("Only 2 of the leases are shown; see -limit.\n");
  });

  test("pages through more than one page of them", async () => {
    const [first] = await world.json<Listed[]>("lease list -limit=1");
    const page = await world.json<{ data: { leases: Listed[]; next: string } }>(
      "read sys/leases/details limit=2",
    );
    const rest = await world.json<{ data: { leases: Listed[]; next: string } }>(
      `read sys/leases/details limit=2 after=${page.data.next}`,
    );
    const all = [...page.data.leases, ...rest.data.leases].map(({ id }) => id);
    expect(new Set(all).size).toBe(3);
    expect(all).toContain(first?.id ?? "");
    expect(rest.data.next).toBe("");
  });

  test.each([
    ["lease list -limit=0", 1, "-limit must be at least 1"],
    ["lease list -watch", 1, "-watch needs a terminal"],
    ["read sys/leases/details limit=1001", 2, "limit must be from 1 to 1000"],
  ])("vsec %s is refused", async (line, code, says) => {
    const ran = await world.run(line);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: "" });
    expect(ran.stderr).toContain(says);
  });

  test.skipIf(terminalMissing !== undefined)(
    "with -watch it shows the list again, with what has come since",
    async () => {
      const watching = atTerminal(world, "lease list -watch database/creds/short");
      await until("the first list", () => watching.shown().includes("Principal"));
      const { lease_id } = await read("short");
      await until("the new lease", () => watching.shown().includes(lease_id));
      watching.kill();
      await watching.ended;
    },
  );
});

describe.skipIf(terminalMissing !== undefined)("a person who mistypes", () => {
  const world = new World();
  beforeAll(async () => {
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable -version=2 kv");
    await world.ok("kv put kv/reports a=b");
  });
  afterAll(() => world.remove());

  test.each([
    ["kv get kv/reprots", 'Did you mean "kv/reports"?'],
    ["read vk/data/reports", 'Did you mean "kv/data/reports"?'],
    ["policy read defualt", 'Did you mean "default"?'],
    ["secrets lits", 'Did you mean "list"?'],
  ])("vsec %s: %s", async (line, says) => {
    const ran = atTerminal(world, line);
    expect(await ran.ended).not.toBe(0);
    expect(ran.shown()).toContain(says);
  });

  test("a name that nothing comes close to gets no guess, and a pipe gets none at all", async () => {
    const ran = atTerminal(world, "kv get kv/something-else");
    await ran.ended;
    expect(ran.shown()).not.toContain("Did you mean");
    expect((await world.run("kv get kv/reprots")).stderr).not.toContain("Did you mean");
  });
});
