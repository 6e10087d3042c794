import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { initDatabase, readCreds, usersOn } from "./database.ts";
import { type Line, World } from "./world.ts";

const times = <T>(count: number, work: () => T): T[] => Array.from({ length: count }, work);

describe.skipIf(postgresMissing(18) !== undefined)("commands that run at the same time on one store", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await initDatabase(world, server);
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  /** Runs all of them at once. @returns What the failed ones said. */
  async function complaints(lines: readonly Line[]): Promise<string[]> {
    const all = await Promise.all(lines.map((line) => world.run(line)));
    return all.filter(({ code }) => code !== 0).map(({ stderr }) => stderr);
  }

  test("issue a user each", async () => {
    const creds = await Promise.all(times(8, () => readCreds(world)));
    expect(await usersOn(server)).toHaveLength(8);
    expect(new Set(creds.map(({ lease_id }) => lease_id)).size).toBe(8);
    expect(await world.json<string[]>("list sys/leases/lookup/database/creds/app")).toHaveLength(8);
  });

  test("revoke all leases below one prefix, with one success each", async () => {
    expect(await complaints(times(4, () => "lease revoke -sync -prefix database/creds/app"))).toEqual([]);
    expect(await usersOn(server)).toEqual([]);
    expect((await world.run("list sys/leases/lookup")).code).toBe(2);
  });

  test("revoke the same lease, with one success each", async () => {
    const { lease_id } = await readCreds(world);
    expect(await complaints(times(6, () => `lease revoke -sync ${lease_id}`))).toEqual([]);
    expect(await usersOn(server)).toEqual([]);
    expect((await world.run("list sys/leases/lookup")).code).toBe(2);
  });

  test("renew and revoke the same lease, which ends it", async () => {
    for (const { lease_id } of await Promise.all(times(3, () => readCreds(world)))) {
      const renewals = times(3, () => world.run(`lease renew -increment=2h ${lease_id}`));
      await world.ok(`lease revoke -sync ${lease_id}`);
      await Promise.all(renewals);
      expect((await world.run(`lease lookup ${lease_id}`)).code).toBe(2);
    }
    expect(await usersOn(server)).toEqual([]);
  });

  test("init one store: one of them makes it, the others are told that it is there", async () => {
    const fresh = new World();
    try {
      const all = await Promise.all(times(4, () => fresh.run("operator init -seal=key-file")));
      const failed = all.filter(({ code }) => code !== 0);
      expect(failed.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
        times(3, () => ({ code: 2, stdout: "" })),
      );
      for (const { stderr } of failed) expect(stderr).toContain("* Vault is already initialized\n");
      await fresh.ok("secrets list");
    } finally {
      fresh.remove();
    }
  });

  test("rotate the administrator's password: it is known afterwards", async () => {
    const all = await Promise.all(times(3, () => world.run("write -force database/rotate-root/pg")));
    expect(all.some(({ code }) => code === 0)).toBe(true);
    const { lease_id } = await readCreds(world);
    await world.ok(`lease revoke -sync ${lease_id}`);
    expect(await usersOn(server)).toEqual([]);
  });
});
