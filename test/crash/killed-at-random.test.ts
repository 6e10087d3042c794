import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { postgresMissing } from "../servers/postgres.ts";
import { Arena, RECOVERY_MS, TTL_MS } from "./arena.ts";
import { NOTHING } from "./case.ts";
import { killAt, measure, moments } from "./moments.ts";
import { pooled } from "./pool.ts";

const KILLS = 30;
/** Each kill is a store, a few commands and a daemon or three of its own. */
const TIMEOUT_MS = 240_000;

describe.skipIf(postgresMissing(18) !== undefined)("killed at any moment", () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await Arena.open(18);
  });
  afterAll(() => arena?.close());

  test(
    "an issue leaves no user without a lease, and what it leaves ends",
    async () => {
      const at = await arena.enter();
      const line = `read ${at.credsPath}`;
      const runs = pooled(moments(KILLS, await measure(at, line)), (moment) => killAt(at, line, moment));
      expect((await Promise.all(runs)).flat()).toEqual([]);
      const { complaints, differences } = await at.recover();
      expect({ complaints, differences }).toEqual({ complaints: [], differences: [] });
      expect(await at.recoverAtLast()).toEqual(NOTHING);
    },
    TIMEOUT_MS,
  );

  test(
    "a revocation by prefix leaves no user without a lease, and goes on later",
    async () => {
      const timed = await arena.enter();
      await timed.issue();
      const lengthMs = await measure(timed, `lease revoke -sync -prefix ${timed.credsPath}`);
      const runs = pooled(moments(KILLS, lengthMs), async (moment) => {
        const at = await arena.enter();
        await Promise.all([at.issue(), at.issue()]);
        const orphans = await killAt(at, `lease revoke -sync -prefix ${at.credsPath}`, moment);
        const { complaints, differences } = await at.recover();
        return { orphans, complaints, differences, atLast: await at.recoverAtLast() };
      });
      const whole = { orphans: [], complaints: [], differences: [], atLast: NOTHING };
      expect(await Promise.all(runs)).toEqual(runs.map(() => whole));
    },
    TIMEOUT_MS,
  );

  test(
    "a daemon leaves no user without a lease, and the next one ends every lease",
    async () => {
      const at = await arena.enter();
      await Promise.all(pooled(moments(KILLS, 1), () => at.issue()));
      const orphans: string[] = [];
      for (let kill = 0; kill < KILLS / 3; kill += 1) {
        // Each daemon comes when the claims of the one before have run out.
        const offsetMs = TTL_MS + kill * RECOVERY_MS;
        orphans.push(...(await killAt(at, "daemon -once", 20 + Math.random() * 80, offsetMs)));
      }
      expect(orphans).toEqual([]);
      expect(await at.recoverAtLast()).toEqual(NOTHING);
    },
    TIMEOUT_MS,
  );
});
