import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { type CoreWorld, dataOf, errorOf } from "../../../core/world.ts";
import { type Answer, acmeWorld, answerOf, CLUSTER, sign, TestClient } from "./world.ts";

const kindOf = ({ body }: Answer): string => String(body.type).replace("urn:ietf:params:acme:error:", "");

async function directory(world: CoreWorld, path: string): Promise<Answer> {
  return answerOf(await world.send("GET", `pki/${path}/directory`, { token: "" }));
}

describe("an external account binding", () => {
  interface Eab {
    readonly id: string;
    readonly key: string;
  }

  async function newEab(world: CoreWorld, path = "acme"): Promise<Eab> {
    return dataOf(await world.put(`pki/${path}/new-eab`)) as unknown as Eab;
  }

  async function bound(client: TestClient, { id, key }: Eab, header: JsonObject = {}): Promise<JsonObject> {
    const head = { alg: "HS256", kid: id, url: `${client.base}/new-account`, ...header };
    const jwk = client.jwk as unknown as JsonObject;
    return {
      externalAccountBinding: (await sign(jwk, head, Buffer.from(key, "base64url"))) as unknown as JsonObject,
    };
  }

  test("is made with a token only, and lists without its key", async () => {
    const world = await acmeWorld();
    const made = dataOf(await world.put("pki/roles/web/acme/new-eab"));
    expect(Object.keys(made).sort()).toEqual(["acme_directory", "created_on", "id", "key", "key_type"]);
    expect([made.key_type, made.acme_directory]).toEqual(["hs", "roles/web/acme/directory"]);
    expect(Buffer.from(String(made.key), "base64url")).toHaveLength(32);
    const listed = await world.send("LIST", "pki/eab");
    const { key: _key, id, ...info } = made;
    expect(dataOf(listed)).toEqual({ keys: [id ?? null], key_info: { [String(id)]: info } });
    for (const path of ["pki/acme/new-eab", "pki/eab"])
      expect((await world.send("PUT", path, { token: "" })).status).toBe(403);
    expect((await world.send("DELETE", `pki/eab/${id}`)).status).toBe(204);
    expect((await world.send("LIST", "pki/eab")).status).toBe(404);
  });

  test("is asked for where the policy says so, and good for one account", async () => {
    const world = await acmeWorld({ eab_policy: "new-account-required" });
    expect((await directory(world, "acme")).body.meta).toEqual({ externalAccountRequired: true });
    const client = await TestClient.create(world);
    const bare = await client.register();
    expect([bare.status, kindOf(bare)]).toEqual([403, "externalAccountRequired"]);
    client.kid = "";
    const eab = await newEab(world);
    expect((await client.register(await bound(client, eab))).status).toBe(201);
    const second = await TestClient.create(world);
    expect(kindOf(await second.register(await bound(second, eab)))).toBe("unauthorized");
  });

  test("that is wrong in any way binds nothing, and stays good", async () => {
    const world = await acmeWorld({ eab_policy: "new-account-required" });
    const client = await TestClient.create(world);
    const eab = await newEab(world);
    const attempts: readonly [string, JsonObject][] = [
      ["unauthorized", await bound(client, { ...eab, key: "AAAA" })],
      ["unauthorized", await bound(client, { ...eab, id: crypto.randomUUID() })],
      ["unauthorized", await bound(client, await newEab(world, "roles/web/acme"))],
      ["malformed", await bound(client, eab, { url: "https://other.test" })],
      ["malformed", await bound(client, eab, { nonce: "x" })],
      ["malformed", await bound(await TestClient.create(world), eab)],
      ["malformed", { externalAccountBinding: "text" }],
    ];
    for (const [kind, payload] of attempts) {
      client.kid = "";
      expect(kindOf(await client.register(payload))).toBe(kind);
    }
    client.kid = "";
    expect((await client.register(await bound(client, eab))).status).toBe(201);
  });

  test("that always has to be there stops accounts that were made without one", async () => {
    const world = await acmeWorld();
    const client = await TestClient.create(world);
    await client.register();
    await world.put("pki/config/acme", { eab_policy: "always-required" });
    expect(kindOf(await client.post("orders", ""))).toBe("unauthorized");
  });
});

describe("the configuration", () => {
  test("is off until it is enabled, which needs to know where the mount is", async () => {
    const world = await acmeWorld({ enabled: false });
    const off = await directory(world, "acme");
    expect([off.status, off.body.detail]).toEqual([404, "ACME feature is disabled"]);
    await world.put("sys/mounts/other", { type: "pki" });
    expect(errorOf(await world.put("other/config/acme", { enabled: true }))).toBe(
      "ACME feature requires local cluster 'path' field configuration to be set",
    );
    expect(dataOf(await world.get("other/config/acme"))).toMatchObject({
      enabled: false,
      allowed_issuers: ["*"],
      allowed_roles: ["*"],
      allow_role_ext_key_usage: false,
      default_directory_policy: "sign-verbatim",
      dns_resolver: "",
      eab_policy: "not-required",
    });
  });

  test.each([
    [{ allowed_issuers: [] }, /allowed_issuers must take a non-zero length/],
    [{ allowed_roles: [] }, /allowed_roles must take a non-zero length/],
    [{ eab_policy: "sometimes" }, /invalid eab policy name: sometimes/],
    [{ default_directory_policy: "anything" }, /"anything" not a valid Default Directory Policy/],
    [{ default_directory_policy: "role:" }, /not a valid Default Directory Policy/],
    [{ dns_resolver: "8.8.8.8" }, /failed to parse DNS resolver address/],
    [{ dns_resolver: "dns.test:53" }, /failed to parse DNS resolver address/],
    [{ dns_resolver: "8.8.8.8:99999" }, /failed to parse DNS resolver address/],
    [{ http01_port: 0 }, /http01_port must be a port/],
    [{ tls_alpn01_port: 65536 }, /tls_alpn01_port must be a port/],
    [{ enabled: "maybe" }, /enabled/],
  ])("%j is refused, and nothing changed", async (given, text) => {
    const world = await acmeWorld();
    const before = dataOf(await world.get("pki/config/acme"));
    const answer = await world.put("pki/config/acme", given as JsonObject);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatch(text);
    expect(dataOf(await world.get("pki/config/acme"))).toEqual(before);
  });

  test("warns of directories that cannot issue as things stand", async () => {
    const world = await acmeWorld();
    const { body } = await world.put("pki/config/acme", {
      allowed_roles: "web,wbe",
      allowed_issuers: "none",
      default_directory_policy: "role:other",
    });
    expect((body as { warnings: string[] }).warnings).toEqual([
      "the directory roles/wbe/acme cannot issue yet: unknown role: wbe",
      expect.stringMatching(/^the directory issuer\/none\/acme cannot issue yet: /),
      "the directory acme cannot issue yet: unknown role: other",
    ]);
    expect(
      (await world.put("pki/config/acme", { allowed_roles: "web", allowed_issuers: "*" })).body,
    ).toMatchObject({
      warnings: ["the directory acme cannot issue yet: unknown role: other"],
    });
  });

  test("closes directories by role, issuer and policy", async () => {
    const world = await acmeWorld();
    await world.put("pki/roles/other", {});
    await world.put("pki/config/acme", { allowed_roles: "web", allowed_issuers: "mine" });
    expect((await directory(world, "roles/web/acme")).status).toBe(200);
    expect((await directory(world, "roles/other/acme")).body.detail).toBe(
      "role other is not allowed for ACME",
    );
    expect((await directory(world, "issuer/default/acme")).body.detail).toBe(
      "issuer default is not allowed for ACME",
    );
    await world.put("pki/config/acme", { default_directory_policy: "forbid" });
    expect((await directory(world, "acme")).status).toBe(404);
    await world.put("pki/config/acme", { default_directory_policy: "role:web" });
    const client = await TestClient.create(world);
    await client.register();
    expect(kindOf(await client.order("example.org"))).toBe("rejectedIdentifier");
    expect((await client.order("a.example.test")).status).toBe(201);
  });

  test("a mount that lets no headers through keeps nonces to itself", async () => {
    const world = await acmeWorld();
    await world.send("POST", "sys/mounts/pki/tune", { body: { allowed_response_headers: ["Link"] } });
    const { headers } = answerOf(await world.send("GET", "pki/acme/new-nonce", { token: "" }));
    expect(headers).toEqual({ Link: `<${CLUSTER}/acme/directory>;rel="index"` });
  });
});
