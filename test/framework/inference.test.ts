import { expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { path } from "../../src/framework/backend.ts";
import { dispatch } from "../../src/framework/dispatch.ts";
import { field } from "../../src/framework/field.ts";

/** Compiles only when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(claim: Same<A, B>): boolean => claim;

test("handlers see the types of the fields they declare, without a cast", async () => {
  const claims: boolean[] = [];
  const fields = {
    name: field.string({ description: "A name." }),
    default_ttl: field.duration({ description: "A life.", default: 5 }),
    enabled: field.bool({ description: "A switch." }),
    statements: field.stringList({ description: "SQL." }),
    versions: field.commaIntList({ description: "Versions." }),
    batch: field.list({ description: "Items." }),
    data: field.map({ description: "Anything." }),
    metadata: field.kvPairs({ description: "Labels." }),
  };
  const spec = path({
    pattern: "roles/:name",
    fields,
    help: { synopsis: "A path." },
    exists: async ({ values }) => {
      claims.push(same<typeof values.enabled, boolean>(true));
      return values.enabled;
    },
    operations: {
      update: {
        summary: "Write.",
        handler: async (request) => {
          const { values, given } = request;
          claims.push(
            same<typeof values.name, string>(true),
            same<typeof values.default_ttl, number>(true),
            same<typeof values.statements, readonly string[]>(true),
            same<typeof values.versions, readonly number[]>(true),
            same<typeof values.batch, readonly Json[]>(true),
            same<typeof values.data, JsonObject>(true),
            same<typeof values.metadata, Readonly<Record<string, string>>>(true),
            same<typeof given.default_ttl, number | undefined>(true),
          );
          // @ts-expect-error a field that is not declared does not exist
          claims.push(values.nothing === undefined);
          return { data: { doubled: values.default_ttl * 2 } };
        },
      },
    },
  });
  const reply = await dispatch(
    { paths: [spec] },
    { operation: "update", path: "roles/x", data: { default_ttl: "1m" }, displayName: "" },
  );
  expect(reply).toEqual({ data: { doubled: 120 } });
  expect(claims).toEqual(new Array<boolean>(10).fill(true));
});
