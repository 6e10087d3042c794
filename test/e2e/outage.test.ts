import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, readCreds, usersOn } from "./database.ts";
import { World } from "./world.ts";

/** A revocation that has failed twice is tried again after 20 to 60 s. */
const RETRY_TIMEOUT_MS = 90_000;

describe.skipIf(postgresMissing(18) !== undefined)("while the database is away", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18, settings: { synchronous_commit: "on" } });
    await initDatabase(world, server, { roles: { brief: "3s", app: "1h" } });
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  test(
    "commands say so, nothing is issued or forgotten, and a running daemon ends what expired when it is back",
    async () => {
      const daemon = await world.daemon();
      const { lease_id } = await readCreds(world, "database/creds/brief");
      const kept = await readCreds(world);
      await server.halt();

      const read = await world.run("read database/creds/app");
      expect(read).toMatchObject({ code: 2, stdout: "" });
      expect(read.stderr).toContain('role "app", connection "pg": ');
      // Nothing was asked of the database, so nothing waits for it.
      expect(
        await world.ok("list -format=json sys/leases/lookup/database/creds/app").then(JSON.parse),
      ).toEqual([kept.lease_id.split("/").at(-1)]);
      const revoke = await world.run(`lease revoke -sync ${kept.lease_id}`);
      expect(revoke).toMatchObject({ code: 2, stdout: "" });
      expect(revoke.stderr).toContain("it goes on being retried");
      expect(revoke.stderr).not.toContain(kept.data.password);
      const queued = await world.run(`lease revoke ${kept.lease_id}`);
      expect(queued.code).toBe(0);
      expect(queued.stderr.replace(/\s+/g, " ")).toContain(
        "could not be revoked yet and go on being retried",
      );
      expect((await world.run("write -force database/rotate-root/pg")).code).toBe(2);
      await until("the daemon's try to fail", () => daemon.stderr().includes(`retried: lease=${lease_id}`));

      await server.resume();
      await until(
        "all users to be dropped",
        async () => (await usersOn(server)).length === 0,
        RETRY_TIMEOUT_MS,
      );
      await until(
        "all leases to be gone",
        async () => (await world.run("list sys/leases/lookup")).code === 2,
      );
      const next = await readCreds(world);
      expect(await usersOn(server)).toEqual([next.data.username]);
      daemon.kill("SIGTERM");
      expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
    },
    2 * RETRY_TIMEOUT_MS,
  );
});
