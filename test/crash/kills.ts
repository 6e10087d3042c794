import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresVersion, postgresMissing } from "../servers/postgres.ts";
import { Arena } from "./arena.ts";
import { expectedOutcome, expectedRotation, killAndRecover, killRotation } from "./killed.ts";
import { expectedStatic, killStatic } from "./killed-static.ts";
import type { Place } from "./operations.ts";
import { pooled } from "./pool.ts";

/** Declares one test for every kill, against one server of this version. */
export function describeKills(
  version: PostgresVersion,
  places: readonly Place[],
  rotations: readonly Place[],
  statics: readonly Place[],
): void {
  describe.skipIf(postgresMissing(version) !== undefined)(`with PostgreSQL ${version}`, () => {
    let arena: Arena;
    let outcomes: ReturnType<typeof killAndRecover>[] = [];
    let rotated: ReturnType<typeof killRotation>[] = [];
    let changed: ReturnType<typeof killStatic>[] = [];
    beforeAll(async () => {
      arena = await Arena.open(version);
      outcomes = pooled(places, (place) => killAndRecover(arena, place));
    });
    afterAll(() => arena?.close());

    test.each(places)(
      "$operation.name killed at $failpoint leaves no user without a lease, and nothing that does not end",
      async (place) => {
        expect(await outcomes[places.indexOf(place)]).toEqual(expectedOutcome(place));
      },
    );

    test.each(rotations)(
      "$operation.name killed at $failpoint leaves the administrator's password known",
      async (place) => {
        if (rotated.length === 0) rotated = pooled(rotations, (each) => killRotation(arena, each));
        expect(await rotated[rotations.indexOf(place)]).toEqual(expectedRotation(place));
      },
    );

    test.each(statics)(
      "$operation.name killed at $failpoint leaves the password of the role's user known",
      async (place) => {
        if (changed.length === 0) changed = pooled(statics, (each) => killStatic(arena, each));
        expect(await changed[statics.indexOf(place)]).toEqual(expectedStatic(place));
      },
    );
  });
}
