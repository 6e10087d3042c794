import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { initDatabase, readCreds } from "./database.ts";
import { type RunOptions, World } from "./world.ts";

interface Finding {
  readonly check: string;
  readonly state: "ok" | "note" | "problem";
  readonly finding: string;
}

interface Diagnosis {
  readonly code: number | null;
  /** What it says of a check. */
  of(check: string): Finding | undefined;
  readonly problems: readonly string[];
}

async function diagnose(world: World, options: RunOptions = {}): Promise<Diagnosis> {
  const { code, stdout } = await world.run("doctor -format=json", options);
  const findings = JSON.parse(stdout) as readonly Finding[];
  return {
    code,
    of: (check) => findings.find((finding) => finding.check === check),
    problems: findings.filter(({ state }) => state === "problem").map(({ check }) => check),
  };
}

describe("vsec doctor", () => {
  const world = new World();
  beforeAll(async () => {
    await world.ok("operator init -seal=key-file");
  });
  afterAll(() => world.remove());

  test("finds a store in order, and ends with 0", async () => {
    const { code, problems, of } = await diagnose(world);
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
    expect(of("store")).toMatchObject({ state: "ok", finding: "unsealed; its key is kept by: key-file" });
    expect(of("daemon")).toMatchObject({ state: "note" });
  });

  test("shows a table to a person", async () => {
    const shown = await world.ok("doctor");
    expect(shown).toStartWith("Check ");
    expect(shown).toMatch(/^token file +ok +\S+\.vsec-token can be read by its owner only$/m);
  });

  test("says where a daemon answers", async () => {
    const daemon = await world.daemon();
    const { code, of } = await diagnose(world);
    daemon.kill("SIGTERM");
    await daemon.ended;
    expect({ code, daemon: of("daemon")?.state }).toEqual({ code: 0, daemon: "ok" });
  });

  test("tells that there is no store, and how to make one", async () => {
    const { code, of } = await diagnose(world, { env: { VSEC_STORE: join(world.home, "elsewhere") } });
    expect(code).toBe(1);
    expect(of("store")?.finding).toContain("vsec operator init");
  });

  test("tells a token that is not valid, and does not show it", async () => {
    const { code, problems, of } = await diagnose(world, { env: { VSEC_TOKEN: "hvs.forged" } });
    expect({ code, problems }).toEqual({ code: 1, problems: ["token"] });
    expect(of("due work")).toMatchObject({ state: "note", finding: "not looked at: this token may not ask" });
    expect(JSON.stringify([of("token"), of("leases")])).not.toContain("forged");
  });

  test("tells a token file that others can read", async () => {
    chmodSync(world.tokenFile, 0o644);
    const { code, of } = await diagnose(world);
    chmodSync(world.tokenFile, 0o600);
    expect(code).toBe(1);
    expect(of("token file")?.finding).toContain("chmod 600");
  });

  test("tells variables that change what the binary runs", async () => {
    const { code, of } = await diagnose(world, { env: { BUN_OPTIONS: "--smol" } });
    expect(code).toBe(1);
    expect(of("environment")?.finding).toContain("BUN_OPTIONS");
  });

  test("tells that the clock was set back", async () => {
    const file = join(world.store, "store.db");
    const tomorrow = new Date(Date.now() + 86_400_000);
    utimesSync(file, tomorrow, tomorrow);
    const { code, problems } = await diagnose(world);
    utimesSync(file, new Date(), new Date());
    expect({ code, problems }).toEqual({ code: 1, problems: ["clock"] });
  });
});

describe.skipIf(postgresMissing(18) !== undefined)(
  "vsec doctor, with a database that does not answer",
  () => {
    const world = new World("vsec-failpoints");
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ version: 18 });
      await initDatabase(world, server);
    });
    afterAll(async () => {
      await server?.stop();
      world.remove();
    });

    const later = (seconds: number) => ({
      env: { VSEC_CLOCK_OFFSET_MS: String(seconds * 1000), VSEC_SWEEP: "off" },
    });

    test("tells work that is overdue, and then leases that cannot be revoked, with the database's error", async () => {
      const { lease_id } = await readCreds(world);
      await server.halt();
      expect((await diagnose(world, later(7200))).problems).toContain("due work");
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        expect((await world.run("daemon -once", later(7200 + attempt * 1800))).code).toBe(1);
      }
      const { code, of } = await diagnose(world, later(7200 + 6 * 1800));
      expect(code).toBe(1);
      expect(of("leases")?.finding).toContain(lease_id);
      expect(of("leases")?.finding).toMatch(/ECONNREFUSED|refused/);
    });
  },
);
