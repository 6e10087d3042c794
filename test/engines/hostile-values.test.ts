import { beforeAll, describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { findRoute } from "../../src/core/route.ts";
import type { PathSpec } from "../../src/framework/backend.ts";
import { METHODS, VALUES } from "../access/hostile.ts";
import { CoreWorld } from "../core/world.ts";

/** What is made before each request, so that it gets as far as it can. */
const PREPARED: Readonly<Record<string, JsonObject>> = {
  "transit/keys/x": {},
  "totp/keys/x": { key: "GEZDGNBVGY3TQOJQ" },
  "ssh/config/ca": { key_type: "ed25519" },
  // No RSA keys: they take their time.
  "ssh/roles/x": {
    key_type: "ca",
    allow_user_certificates: true,
    allowed_users: "*",
    allowed_user_key_lengths: { ed25519: 256 },
  },
};

/** Requests that would make an authority's RSA key each time, or do once and then say that there is one. */
const LEFT_OUT: ReadonlySet<string> = new Set(["ssh/config/ca delete"]);

describe("whatever a parameter of transit, totp or ssh is given", () => {
  let world: CoreWorld;
  const asked: { readonly mount: string; readonly spec: PathSpec }[] = [];
  beforeAll(async () => {
    world = await CoreWorld.create();
    for (const type of ["transit", "totp", "ssh"]) {
      await world.put(`sys/mounts/${type}`, { type });
      const route = await findRoute(world.core.services, `${type}/`);
      for (const spec of route?.backend.paths ?? []) asked.push({ mount: `${type}/`, spec });
    }
  });

  /** @returns What was logged of faults; nothing, where all is well. */
  async function send(operation: string, path: string, body: JsonObject): Promise<string[]> {
    if (LEFT_OUT.has(`${path} ${operation}`)) return [];
    world.logged.length = 0;
    const { status } = await world.send(METHODS[operation] ?? "GET", path, { body });
    const faults = world.logged.filter(({ message }) => message === "internal error");
    return faults.map(({ fields }) => `${operation} ${path} ${Object.keys(body)} ${status} ${fields?.stack}`);
  }

  async function ask(mount: string, spec: PathSpec, value: Json): Promise<string[]> {
    for (const [path, body] of Object.entries(PREPARED)) await world.put(path, body);
    const names = Object.keys(spec.fields);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const all = Object.fromEntries(names.map((name) => [name, value]));
    const [plain = "", odd = ""] = ["x", text].map(
      (fill) => mount + spec.pattern.replace(/[:*]\w+/g, () => fill),
    );
    const faults: string[] = [];
    for (const operation of Object.keys(spec.operations)) {
      for (const name of names) faults.push(...(await send(operation, plain, { [name]: value })));
      faults.push(...(await send(operation, plain, all)), ...(await send(operation, odd, all)));
    }
    return faults;
  }

  test.each(VALUES)("no request is a fault of vsec's: %s", async (_name, value) => {
    const faults: string[] = [];
    for (const { mount, spec } of asked) faults.push(...(await ask(mount, spec, value)));
    expect(faults).toEqual([]);
  });
});
