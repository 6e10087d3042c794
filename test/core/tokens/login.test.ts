import { describe, expect, test } from "bun:test";
import type { Mounted } from "../../../src/core/mounts/mounts.ts";
import type { MountTokenType } from "../../../src/core/mounts/table.ts";
import { authenticate } from "../../../src/core/tokens/authenticate.ts";
import { tokenForLogin } from "../../../src/core/tokens/login.ts";
import type { LoginGrant, RoleTokenType } from "../../../src/framework/auth.ts";
import { refusal, TokenWorld } from "./world.ts";

const GRANT: LoginGrant = {
  displayName: "bob",
  alias: null,
  groupAliases: [],
  policies: ["Apps"],
  metadata: { username: "bob" },
  internal: { user: "bob" },
  ttlSeconds: 60,
  maxTtlSeconds: 120,
  explicitMaxTtlSeconds: 0,
  periodSeconds: 0,
  numUses: 0,
  boundCidrs: [],
  noDefaultPolicy: false,
  tokenType: "default",
  renewable: true,
};

async function login(given: Partial<LoginGrant> = {}, type: MountTokenType = "default-service") {
  const world = await TokenWorld.create();
  const table = await world.services.mounts.table.entries();
  const [base] = table;
  if (base === undefined) throw new TypeError("the world has no mount");
  const config = { ...base.config, auth: { tokenType: type, lockout: null } };
  const entry = { ...base, path: "auth/team/userpass/", uuid: "mount-of-users", config };
  const state: { grant: LoginGrant | null } = { grant: { ...GRANT, ...given } };
  const mounted: Mounted = {
    entry,
    backend: { help: "", paths: [], secrets: [], renewLogin: async () => state.grant },
  };
  Object.assign(world.services.mounts, {
    byUuid: async (uuid: string) => (uuid === entry.uuid ? entry : null),
    load: async () => mounted,
  });
  const attempt = (remoteAddress: string | null = null) =>
    tokenForLogin(
      world.services,
      mounted,
      { ...GRANT, ...given },
      "auth/team/userpass/login/bob",
      remoteAddress,
      {
        entityId: "entity-1",
        policies: ["from-entity"],
      },
    );
  return { world, attempt, state };
}

describe("a login", () => {
  test("gives an orphan with the method's name, terms and policies", async () => {
    const { world, attempt } = await login();
    const { created, auth } = await attempt();
    expect(auth).toMatchObject({
      policies: ["apps", "default", "from-entity"],
      token_policies: ["apps", "default"],
      identity_policies: ["from-entity"],
      metadata: { username: "bob" },
      lease_duration: 60,
      orphan: true,
      entity_id: "entity-1",
      token_type: "service",
    });
    expect((await authenticate(world.services, created.id, null))?.record).toMatchObject({
      displayName: "team-userpass-bob",
      path: "auth/team/userpass/login/bob",
    });
  });

  test("never gives the root policy", async () => {
    const { attempt } = await login({ policies: ["a", "ROOT"] });
    expect(await refusal(attempt)).toBe("auth methods cannot create root tokens");
  });

  test("from an address that the token could not be used from is refused", async () => {
    const { attempt } = await login({ boundCidrs: ["10.0.0.0/8"] });
    expect(await refusal(() => attempt("192.0.2.1"))).toBe("permission denied");
    expect(await refusal(() => attempt("10.0.0.1"))).toBe("none");
  });

  test.each<[MountTokenType, RoleTokenType, string]>([
    ["default-service", "", "service"],
    ["default-service", "default", "service"],
    ["default-service", "batch", "batch"],
    ["default-service", "default-batch", "batch"],
    ["default-batch", "", "batch"],
    ["default-batch", "default-service", "service"],
    ["default-batch", "service", "service"],
    ["service", "batch", "service"],
    ["batch", "service", "batch"],
  ])("at a mount of %j by a role of %j gives a token of type %j", async (mount, role, type) => {
    const { attempt } = await login({ tokenType: role }, mount);
    expect((await attempt()).auth.token_type).toBe(type);
  });

  test("is renewed by what the method says then, up to its maximum", async () => {
    const { world, attempt, state } = await login();
    const { created } = await attempt();
    const renew = () => world.call("update", "renew", { token: created.id });
    state.grant = { ...GRANT, ttlSeconds: 90 };
    expect((await renew())?.auth).toMatchObject({ lease_duration: 90 });
    world.advance(80);
    expect((await renew())?.auth).toMatchObject({ lease_duration: 40 });
    state.grant = null;
    expect(await refusal(renew)).toBe("lease is not renewable");
  });
});
