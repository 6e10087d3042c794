import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Outcome } from "../../src/cli/outcome.ts";
import { render, type View } from "../../src/cli/output/render.ts";
import { envelope } from "./fake-world.ts";

const TABLE: View = { format: "table", newlineAfterField: true };
const show = async (outcome: Outcome, view: Partial<View> = {}) =>
  (await render(outcome, { ...TABLE, ...view })).stdout;
const body = (parts: Readonly<Record<string, Json>>) => envelope(parts).body as JsonObject;
const secret = (parts: Readonly<Record<string, Json>>, view: Partial<View> = {}) =>
  show({ show: "secret", body: body(parts) }, view);

const CREDENTIAL = {
  lease_id: "database/creds/readonly/AbC",
  lease_duration: 3600,
  renewable: true,
  data: { username: "v-token-readonly-xyz", password: "A1a-xyz" },
};

describe("-field", () => {
  const field = (
    name: string,
    view: Partial<View> = {},
    parts: Readonly<Record<string, Json>> = CREDENTIAL,
  ) => secret(parts, { field: name, newlineAfterField: false, ...view });

  test("a field has a newline for a person only", async () => {
    expect(await field("password")).toBe("A1a-xyz");
    expect(await field("password", { newlineAfterField: true })).toBe("A1a-xyz\n");
  });

  test("durations are in seconds", async () => {
    expect(await field("lease_duration")).toBe("3600");
    expect(await field("refresh_interval")).toBe("3600");
    expect(await field("ttl", {}, { data: { ttl: 60 } })).toBe("60");
  });

  test("the lease's own names are known", async () => {
    expect(await field("lease_id")).toBe("database/creds/readonly/AbC");
    expect(await field("renewable")).toBe("true");
    expect(await field("request_id")).toBe("3f7c1d2e-0000-4000-8000-000000000001");
  });

  test("data is the whole map, or its inner one", async () => {
    expect(await field("data", {}, { data: { a: 1 } })).toBe("map[a:1]");
    expect(await field("data", {}, { data: { data: { b: 2 }, metadata: {} } })).toBe("map[b:2]");
  });

  test("tokens and wrapping tokens have names of their own", async () => {
    const auth = { client_token: "t", lease_duration: 60, policies: ["a b"] };
    expect(await field("token", {}, { auth })).toBe("t");
    expect(await field("token_duration", {}, { auth })).toBe("60");
    expect(await field("policies", {}, { auth })).toBe('["a b"]');
    expect(await field("wrapping_token", {}, { wrap_info: { token: "w" } })).toBe("w");
  });

  test("a value is encoded in the formats for programs", async () => {
    expect(await field("password", { format: "json" })).toBe('"A1a-xyz"');
    expect(await field("data", { format: "json" }, { data: { a: 1 } })).toBe('{\n  "a": 1\n}');
  });

  test.each(["nope", "lease_renewable", "token", "constructor"])("%s is not there", async (name) => {
    await expect(field(name)).rejects.toEqual(
      expect.objectContaining({ message: `Field "${name}" not present in secret`, exitCode: 1 }),
    );
  });

  test("null is not there", async () => {
    await expect(field("a", {}, { data: { a: null } })).rejects.toThrow('Field "a" not present in secret');
  });
});
