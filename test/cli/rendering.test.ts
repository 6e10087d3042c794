import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Outcome } from "../../src/cli/outcome.ts";
import { render, type View, warningsText } from "../../src/cli/output/render.ts";
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

describe("the table format", () => {
  test("a credential shows its lease first, then its data by key", async () => {
    expect(await secret(CREDENTIAL)).toBe(`Key                Value
---                -----
lease_id           database/creds/readonly/AbC
lease_duration     1h
lease_renewable    true
password           A1a-xyz
username           v-token-readonly-xyz
`);
  });

  test("a duration without a lease is a refresh interval", async () => {
    expect(await secret({ lease_duration: 2764800, data: { a: "b" } })).toBe(
      "Key                 Value\n---                 -----\nrefresh_interval    768h\na                   b\n",
    );
  });

  test("values print as Go prints them", async () => {
    const data = {
      absent: null,
      bool: false,
      empty: "",
      list: ["a", "b", null, { z: 1, a: [] }],
      map: { b: 2, a: "x" },
      no_items: [],
      no_keys: {},
      number: 12.5,
      spaced: "  x  ",
    };
    expect(await secret({ data })).toBe(`Key         Value
---         -----
absent      <nil>
bool        false
empty       n/a
list        [a b <nil> map[a:[] z:1]]
map         map[a:x b:2]
no_items    []
no_keys     map[]
number      12.5
spaced      x
`);
  });

  test("a line break in a value prints raw", async () => {
    expect(await secret({ data: { certificate: "-----BEGIN\nMII\n-----END", serial: "1" } })).toBe(
      "Key            Value\n---            -----\ncertificate    -----BEGIN\nMII\n-----END\nserial         1\n",
    );
  });

  const durations: [string, Json, string][] = [
    ["ttl", 0, "0s"],
    ["ttl", 30, "30s"],
    ["max_ttl", 60, "1m"],
    ["period", 90, "1m30s"],
    ["token_period", 3600, "1h"],
    ["duration", 3605, "1h5s"],
    ["lease_duration", 5400, "1h30m"],
    ["lease_max", 86400, "24h"],
    ["ttl_max", 2764800, "768h"],
    ["ttl", 1.5, "1.5"],
    ["ttl", "90", "90"],
    ["throttle", 60, "60"],
    ["periods", 60, "60"],
  ];
  test.each(durations)("%s of %j shows as %s", async (key, value, expected) => {
    const lines = (await secret({ data: { [key]: value } })).split("\n");
    expect(lines[2]).toBe(`${key.padEnd(3)}    ${expected}`);
  });

  test("a token shows its policies quoted, and an endless one as such", async () => {
    const auth = {
      client_token: "hvs.x",
      accessor: "acc",
      policies: ["default", "root"],
      token_policies: ["default", "root"],
      metadata: { zone: "b", app: "a" },
      lease_duration: 0,
      renewable: false,
      entity_id: "",
      token_type: "service",
      orphan: true,
      mfa_requirement: null,
      num_uses: 0,
    };
    expect(await secret({ auth })).toBe(`Key                  Value
---                  -----
token                hvs.x
token_accessor       acc
token_duration       ∞
token_renewable      false
token_policies       ["default" "root"]
identity_policies    []
policies             ["default" "root"]
token_meta_app       a
token_meta_zone      b
`);
  });

  test("a wrapping token shows labels with colons and Go's time", async () => {
    const wrap_info = {
      token: "hvs.CAES",
      accessor: "7Q2",
      ttl: 120,
      creation_time: "2024-05-01T10:00:00.123456789Z",
      creation_path: "secret/data/foo",
    };
    expect(await secret({ wrap_info })).toBe(`Key                              Value
---                              -----
wrapping_token:                  hvs.CAES
wrapping_accessor:               7Q2
wrapping_token_ttl:              2m
wrapping_token_creation_time:    2024-05-01 10:00:00.123456789 +0000 UTC
wrapping_token_creation_path:    secret/data/foo
`);
  });

  test("nothing to show prints nothing", async () => {
    expect(await secret({})).toBe("");
  });

  test("keys are one sorted column", async () => {
    const keys = { show: "keys", body: body({ data: { keys: ["b", "a/", "C"] } }), detailed: false } as const;
    expect(await show(keys)).toBe("Keys\n----\nC\na/\nb\n");
  });

  test("detailed keys show their attributes, and n/a for a missing one", async () => {
    const data = {
      keys: ["b", "a"],
      key_info: { a: { ttl: 3600, name: "x" }, b: { name: "" } },
    };
    expect(await show({ show: "keys", body: body({ data }), detailed: true })).toBe(
      "Keys    name    ttl\n----    ----    ---\na       x       1h\nb       n/a     n/a\n",
    );
  });

  test("a long column does not cut any cell short", async () => {
    const long = "x".repeat(500);
    expect(await secret({ data: { key: long } })).toContain(`key    ${long}\n`);
  });

  test("a table of many rows has the same columns throughout, and every row once", async () => {
    const rows = Array.from({ length: 1234 }, (_, index) => [`k${index}`, "v".repeat(index % 300), "日本"]);
    const text = await show({ show: "table", header: ["A", "B", "C"], rows, data: [] });
    const lines = text.split("\n");
    expect(lines.length).toBe(1234 + 2 + 1);
    expect(lines.slice(2, -1).map((line) => line.split(/ {4,}/)[0])).toEqual(
      rows.map(([key]) => key as string),
    );
    expect(new Set(lines.slice(2, -1).map((line) => line.indexOf("日本")))).toEqual(
      new Set([5 + 4 + 299 + 4]),
    );
  });

  test("warnings are apart from the answer", async () => {
    const rendered = await render(
      { show: "secret", body: body({ data: { a: 1 }, warnings: ["first", "b".repeat(80)] }) },
      TABLE,
    );
    expect(rendered.warnings).toEqual(["first", "b".repeat(80)]);
    expect(warningsText(rendered.warnings)).toBe(
      `WARNING! The following warnings were returned from vsec:\n\n  * first\n\n  *\n  ${"b".repeat(80)}\n\n`,
    );
    expect(warningsText([])).toBe("");
  });
});

describe("the formats for programs", () => {
  test("JSON has the keys in Vault's order, its data sorted, and < > & escaped", async () => {
    const text = await secret(
      { ...CREDENTIAL, data: { z: "<a&b>", a: { d: 1, c: null } } },
      { format: "json" },
    );
    expect(text).toBe(`{
  "request_id": "3f7c1d2e-0000-4000-8000-000000000001",
  "lease_id": "database/creds/readonly/AbC",
  "lease_duration": 3600,
  "renewable": true,
  "data": {
    "a": {
      "c": null,
      "d": 1
    },
    "z": "\\u003ca\\u0026b\\u003e"
  },
  "warnings": null
}
`);
  });

  test("JSON has a token's keys in Vault's order, and the mount's type where it is known", async () => {
    const text = await secret(
      { auth: { renewable: true, client_token: "t" }, mount_type: "token" },
      { format: "json" },
    );
    const parsed = JSON.parse(text) as JsonObject;
    expect(Object.keys(parsed)).toEqual([
      "request_id",
      "lease_id",
      "lease_duration",
      "renewable",
      "data",
      "warnings",
      "auth",
      "mount_type",
    ]);
    expect(Object.keys(parsed.auth as JsonObject)).toEqual(
      "client_token accessor policies token_policies identity_policies metadata orphan entity_id lease_duration renewable mfa_requirement".split(
        " ",
      ),
    );
  });

  test("JSON of a list is a bare array in the server's order, and the whole answer when detailed", async () => {
    const listed = body({ data: { keys: ["b", "a"] } });
    expect(await show({ show: "keys", body: listed, detailed: false }, { format: "json" })).toBe(
      '[\n  "b",\n  "a"\n]\n',
    );
    const detailed = await show({ show: "keys", body: listed, detailed: true }, { format: "json" });
    expect((JSON.parse(detailed) as JsonObject).data).toEqual({ keys: ["b", "a"] });
  });

  test("any JSON data comes back the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
        const text = await show({ show: "table", rows: [], data: value as Json }, { format: "json" });
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text).not.toMatch(/[<>&]/);
      }),
    );
  });

  test("YAML has all keys sorted, and quotes what older parsers misread", async () => {
    const text = await secret({ data: { b: "yes", a: ["x", 1], c: "1", d: null } }, { format: "yaml" });
    expect(text).toBe(`data:
  a:
  - x
  - 1
  b: "yes"
  c: "1"
  d: null
lease_duration: 0
lease_id: ""
renewable: false
request_id: 3f7c1d2e-0000-4000-8000-000000000001
warnings: null
`);
  });

  test("YAML does not fold long values", async () => {
    const long = `${"word ".repeat(60)}end`;
    const text = await secret({ data: { long } }, { format: "yaml" });
    expect((parseYaml(text) as { data: JsonObject }).data.long).toBe(long);
    expect(text).toContain(`long: ${long}\n`);
  });

  test("raw is the answer's body on one line", async () => {
    expect(await secret({ data: { a: "<b>" } }, { format: "raw" })).toBe(
      `${JSON.stringify(body({ data: { a: "<b>" } }))}\n`,
    );
  });

  test("sentences of data commands are for people only, those of administrative ones for all", async () => {
    const line = (when: "always" | "table") => ({ show: "line", text: "Success!", when }) as const;
    expect(await show(line("table"))).toBe("Success!\n");
    expect(await show(line("table"), { format: "json" })).toBe("");
    expect(await show(line("always"), { format: "json" })).toBe("Success!\n");
  });
});
