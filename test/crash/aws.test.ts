import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Ended } from "../e2e/world.ts";
import { motoMissing } from "../servers/moto.ts";
import { AwsArena, type AwsCase, RECOVERY_MS } from "./aws-arena.ts";
import {
  ADD_STATIC,
  AWS_OPERATIONS,
  type AwsPlace,
  EXPIRY,
  ISSUE,
  killAt,
  passedBy,
  placesOf,
  REMOVE_STATIC,
  REVOKE,
  ROTATE_ROOT,
  ROTATE_STATIC,
} from "./aws-operations.ts";
import { NOTHING, recovered } from "./case.ts";
import { killAt as killAtMoment, measure, moments } from "./moments.ts";
import { pooled } from "./pool.ts";

interface Keys {
  readonly access_key: string;
  readonly secret_key: string;
}

const LEASES = placesOf(ISSUE, REVOKE, EXPIRY);
const ROOTS = placesOf(ROTATE_ROOT);
const STATICS = placesOf(ADD_STATIC, ROTATE_STATIC);
type Death = Pick<Ended, "signal" | "stdout">;
const KILLED: Death = { signal: "SIGKILL", stdout: "" };

/** At random, of each command. */
const KILLS = 12;

const MISSING = motoMissing();
const TITLE = `killed at its work for AWS${MISSING === undefined ? "" : ` (skipped: ${MISSING})`}`;

describe.skipIf(MISSING !== undefined)(TITLE, () => {
  let arena: AwsArena;
  beforeAll(async () => {
    arena = await AwsArena.open();
  });
  afterAll(() => arena?.close());

  test.each(AWS_OPERATIONS)(
    "$name passes exactly the failpoints that its kills are tried at",
    async (operation) => {
      const ran = await passedBy(await arena.enter(), operation);
      expect(ran).toEqual({ code: 0, passes: [...operation.passes] });
    },
  );

  /** Starts all kills of a kind when the first of its tests runs. */
  function kills<T>(places: readonly AwsPlace[], look: (at: AwsCase, place: AwsPlace) => Promise<T>) {
    let started: Promise<T & { death: Death }>[] = [];
    return async (place: AwsPlace) => {
      if (started.length === 0)
        started = pooled(places, async (each) => {
          const at = await arena.enter();
          const { signal, stdout } = await killAt(at, each);
          return { ...(await look(at, each)), death: { signal, stdout } };
        });
      return started[places.indexOf(place)];
    };
  }

  const lease = kills(LEASES, async (at, { operation }) => ({
    orphansAtOnce: await at.orphans(),
    recovery: await at.recover((operation.offsetMs ?? 0) + RECOVERY_MS),
    atLast: await at.recoverAtLast(),
  }));
  test.each(LEASES)(
    "$operation.name killed at $failpoint leaves no user without a lease, and none that does not end",
    async (place) => {
      // Once it is active a lease is in force, though nobody was told its keys: it ends with its TTL.
      const inForce = place.failpoint === "issue:active" ? 1 : 0;
      expect(await lease(place)).toEqual({
        death: KILLED,
        orphansAtOnce: [],
        recovery: recovered(inForce),
        atLast: NOTHING,
      });
    },
  );

  const root = kills(ROOTS, async (at) => {
    const issues = [await canIssue(at)];
    const { stderr } = await at.at(RECOVERY_MS, "daemon -once -log-level=warn");
    issues.push(await canIssue(at));
    const { access_key } = await at.data<Keys>("aws/config/root");
    return { issues, complaints: stderr, isKnown: (await at.otherKeys()).join() === access_key };
  });
  test.each(ROOTS)(
    "rotate-root killed at $failpoint leaves the administrator with one key, which is known",
    async (place) => {
      const outcome = { death: KILLED, issues: [true, true], complaints: "", isKnown: true };
      expect(await root(place)).toEqual(outcome);
    },
  );

  /** The administrator's keys are known as long as users can be made. */
  async function canIssue(at: AwsCase): Promise<boolean> {
    const { code } = await at.world.run(`read ${at.credsPath}`);
    return code === 0;
  }

  const statics = kills(STATICS, async (at, { operation }) => {
    const { stderr } = await at.at(RECOVERY_MS, "daemon -once -log-level=warn");
    const shown = await at.data<Keys>(`aws/static-creds/${at.role}`);
    const keys = await at.otherKeys();
    const before = operation === ROTATE_STATIC ? 1 : 0;
    return { complaints: stderr, works: await at.works(shown), unknown: keys.length - 1 - before };
  });
  test.each(STATICS)(
    "$operation.name killed at $failpoint leaves no key that nobody knows",
    async (place) => {
      expect(await statics(place)).toEqual({
        death: KILLED,
        complaints: "",
        works: true,
        unknown: 0,
      });
    },
  );

  test("an issue killed at any moment leaves no user without a lease, and what it leaves ends", async () => {
    const at = await arena.enter();
    const line = `read ${at.credsPath}`;
    const runs = pooled(moments(KILLS, await measure(at, line)), (moment) => killAtMoment(at, line, moment));
    expect((await Promise.all(runs)).flat()).toEqual([]);
    const { complaints, differences } = await at.recover();
    expect({ complaints, differences }).toEqual({ complaints: [], differences: [] });
    expect(await at.recoverAtLast()).toEqual(NOTHING);
  });

  test("a revocation by prefix killed at any moment leaves no user without a lease, and goes on later", async () => {
    const timed = await arena.enter();
    await timed.world.ok(`read ${timed.credsPath}`);
    const lengthMs = await measure(timed, `lease revoke -sync -prefix ${timed.credsPath}`);
    const runs = pooled(moments(KILLS, lengthMs), async (moment) => {
      const at = await arena.enter();
      await Promise.all([at.world.ok(`read ${at.credsPath}`), at.world.ok(`read ${at.credsPath}`)]);
      const orphans = await killAtMoment(at, `lease revoke -sync -prefix ${at.credsPath}`, moment);
      const { complaints, differences } = await at.recover();
      return { orphans, complaints, differences, atLast: await at.recoverAtLast() };
    });
    const whole = { orphans: [], complaints: [], differences: [], atLast: NOTHING };
    expect(await Promise.all(runs)).toEqual(runs.map(() => whole));
  });

  test("the end of a static role that was killed can be repeated, and leaves no key", async () => {
    const at = await arena.enter();
    await killAt(at, { operation: REMOVE_STATIC, failpoint: "aws-static:key-deleted" });
    expect(await at.otherKeys()).toEqual([]);
    await at.world.ok(REMOVE_STATIC.command(at));
    expect((await at.world.run("list aws/static-roles")).code).toBe(2);
  });
});
