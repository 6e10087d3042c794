import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AUTH_METHODS } from "../../src/auth/index.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { Method } from "../../src/contract/wire.ts";
import { findRoute } from "../../src/core/route.ts";
import type { PathSpec } from "../../src/framework/backend.ts";
import { METHODS, VALUES } from "./hostile.ts";
import { AccessWorld } from "./world.ts";

interface Asked {
  readonly path: string;
  readonly spec: PathSpec;
}

describe("whatever a parameter is given", () => {
  let world: AccessWorld;
  let asked: readonly Asked[] = [];
  beforeAll(async () => {
    world = await AccessWorld.create();
    const mounts = ["sys/", "auth/token/", "cubbyhole/", "identity/"];
    for (const { type } of AUTH_METHODS) {
      await world.inner.put(`sys/auth/${type}`, { type });
      mounts.push(`auth/${type}/`);
    }
    const found: Asked[] = [];
    for (const mount of mounts) {
      const route = await findRoute(world.inner.core.services, mount);
      for (const spec of route?.backend.paths ?? []) found.push({ path: `${mount}${spec.pattern}`, spec });
    }
    asked = found;
  });
  afterAll(() => world.close());

  /** Would end the token that asks. */
  const ENDS = /revoke-self$/;

  /** @returns What was logged of faults; nothing, where all is well. */
  async function send(method: Method, path: string, body: JsonObject): Promise<string[]> {
    world.inner.logged.length = 0;
    const { status } = await world.inner.send(method, path, { body });
    const faults = world.inner.logged.filter(({ message }) => message === "internal error");
    return faults.map(({ fields }) => `${method} ${path} ${Object.keys(body)} ${status} ${fields?.stack}`);
  }

  async function ask({ path, spec }: Asked, value: Json): Promise<string[]> {
    const names = Object.keys(spec.fields);
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const all = Object.fromEntries(names.map((name) => [name, value]));
    const [plain, odd] = ["x", text].map((fill) => path.replace(/[:*]\w+/g, () => fill));
    const faults: string[] = [];
    for (const operation of Object.keys(spec.operations)) {
      const method = METHODS[operation] ?? "GET";
      for (const name of names) faults.push(...(await send(method, plain ?? "", { [name]: value })));
      faults.push(...(await send(method, plain ?? "", all)), ...(await send(method, odd ?? "", all)));
    }
    return faults;
  }

  test.each(VALUES)(
    "no request is a fault of vsec's: %s",
    async (_name, value) => {
      const faults: string[] = [];
      for (const each of asked.filter(({ path }) => !ENDS.test(path)))
        faults.push(...(await ask(each, value)));
      expect(faults).toEqual([]);
    },
    60_000,
  );
});
