import { beforeAll, describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../../../src/base/json.ts";
import type { Method } from "../../../../src/contract/wire.ts";
import { findRoute } from "../../../../src/core/route.ts";
import type { PathSpec } from "../../../../src/framework/backend.ts";
import type { CoreWorld } from "../../../core/world.ts";
import { acmeWorld, TestClient } from "./world.ts";

/** What nobody meant a parameter to be. */
const VALUES: readonly (readonly [string, Json])[] = [
  ["a text that is too long", "x".repeat(20_000)],
  ["a NUL", "a\0b"],
  ["half a surrogate pair", "a\ud800b"],
  ["a step up", "../../sys/raw"],
  ["slashes", "a//b/"],
  ["a number that is too large", 1e300],
  ["a negative number", -1],
  ["an empty list", []],
  ["a list of everything", [1, "a", null, true, { a: 1 }, [2]]],
  ["a map of everything", { a: null, b: [1], constructor: "c", toString: { d: 1 } }],
  ["JSON in base64url", Buffer.from('{"alg":"ES256","jwk":{},"url":1,"nonce":{}}').toString("base64url")],
  ["null in base64url", Buffer.from("null").toString("base64url")],
  ["deep JSON in base64url", Buffer.from("[".repeat(5000)).toString("base64url")],
];

const METHODS: Readonly<Record<string, Method>> = {
  read: "GET",
  list: "LIST",
  update: "PUT",
  delete: "DELETE",
};

describe("whatever is sent to the paths of ACME and OCSP", () => {
  let world: CoreWorld;
  let specs: readonly PathSpec[] = [];

  beforeAll(async () => {
    world = await acmeWorld();
    const route = await findRoute(world.core.services, "pki/");
    specs = (route?.backend.paths ?? []).filter(({ pattern }) =>
      /(?:^|\/)(?:acme|eab|ocsp)(?:\/|$)/.test(pattern),
    );
  });

  async function send(method: Method, path: string, body: JsonObject): Promise<string[]> {
    world.logged.length = 0;
    const { status } = await world.send(method, path, { body });
    const faults = world.logged.filter(({ message }) => message === "internal error");
    return faults.map(
      ({ fields }) => `${method} ${path.slice(0, 99)} ${Object.keys(body)} ${status} ${fields?.stack}`,
    );
  }

  test.each(VALUES)("it is no fault of vsec's: %s", async (_name, value) => {
    expect(specs.length).toBeGreaterThan(50);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const faults: string[] = [];
    for (const { pattern, fields, operations } of specs) {
      const names = Object.keys(fields);
      const all = Object.fromEntries(names.map((name) => [name, value]));
      const known = pattern.replace(":role", "web").replace(":issuer_ref", "default");
      const [plain = "", odd = ""] = ["x", text].map((fill) => known.replace(/[:*]\w+/g, () => fill));
      for (const operation of Object.keys(operations)) {
        const method = METHODS[operation] ?? "GET";
        for (const name of names) faults.push(...(await send(method, `pki/${plain}`, { [name]: value })));
        for (const path of [plain, odd]) faults.push(...(await send(method, `pki/${path}`, all)));
      }
    }
    expect(faults).toEqual([]);
  });
});

test("whatever a signed payload holds, it is refused as a problem or taken, and no fault of vsec's", async () => {
  const world = await acmeWorld();
  const client = await TestClient.create(world);
  await client.register();
  const order = await client.order("a.test");
  const [authorization = ""] = order.body.authorizations as readonly string[];
  const { kid } = client;
  const targets = [
    "new-order",
    "orders",
    "key-change",
    "revoke-cert",
    `${order.headers.Location}/finalize`,
    kid,
  ];
  const fields = [
    ...["contact", "identifiers", "csr", "certificate", "reason", "status", "notBefore", "account", "oldKey"],
    ...[
      "protected",
      "payload",
      "signature",
      "termsOfServiceAgreed",
      "externalAccountBinding",
      "onlyReturnExisting",
    ],
  ];
  for (const [, value] of VALUES.filter(([name]) => name !== "a text that is too long")) {
    const payload = Object.fromEntries(fields.map((field) => [field, value]));
    for (const target of [
      ...targets,
      authorization,
      `${authorization.replace("authorization", "challenge")}/http-01`,
    ]) {
      for (const sent of [payload, { identifiers: [{ type: "dns", value }] }]) {
        const { status, body } = await client.post(target, sent);
        if (status >= 400 && status !== 404) expect(body.type).toStartWith("urn:ietf:params:acme:error:");
        expect(status).toBeLessThan(500);
      }
    }
    client.kid = "";
    expect((await client.post("new-account", payload)).status).toBeLessThan(500);
    client.kid = kid;
  }
  expect(world.logged.filter(({ message }) => message === "internal error")).toEqual([]);
});
