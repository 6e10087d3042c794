import { beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { CoreWorld } from "../../../core/world.ts";
import {
  type Answer,
  acmeWorld,
  answerOf,
  CLUSTER,
  newKey,
  sign,
  type Tampering,
  TestClient,
} from "./world.ts";

let world: CoreWorld;

beforeAll(async () => {
  world = await acmeWorld();
});

const kindOf = ({ body }: Answer): string => String(body.type).replace("urn:ietf:params:acme:error:", "");

async function client(directory = "acme"): Promise<TestClient> {
  const made = await TestClient.create(world, directory);
  await made.register();
  return made;
}

async function get(path: string): Promise<Answer> {
  return answerOf(await world.send("GET", path, { token: "" }));
}

describe("the directory", () => {
  test.each(["acme", "roles/web/acme", "issuer/default/acme", "issuer/default/roles/web/acme"])(
    "at %s needs no token, and says where things are",
    async (directory) => {
      const base = `${CLUSTER}/${directory}`;
      const { status, body } = await get(`pki/${directory}/directory`);
      expect([status, body]).toEqual([
        200,
        {
          newNonce: `${base}/new-nonce`,
          newAccount: `${base}/new-account`,
          newOrder: `${base}/new-order`,
          revokeCert: `${base}/revoke-cert`,
          keyChange: `${base}/key-change`,
          meta: { externalAccountRequired: false },
        },
      ]);
    },
  );

  test("gives nonces to GET and HEAD; other reads take no HEAD", async () => {
    for (const [isHead, expected] of [
      [true, 200],
      [false, 204],
    ] as const) {
      const { status, headers } = answerOf(
        await world.send("GET", "pki/acme/new-nonce", { token: "", isHead }),
      );
      expect(status).toBe(expected);
      expect(headers["Replay-Nonce"]).toMatch(/^[\w-]{40,}$/);
      expect(headers.Link).toBe(`<${CLUSTER}/acme/directory>;rel="index"`);
    }
    expect((await world.send("GET", "pki/roles/web", { isHead: true })).status).toBe(405);
  });

  test.each([
    ["roles/none/acme", 403, /unknown role: none/],
    ["issuer/none/acme", 403, /unable to find PKI issuer for reference: none/],
    ["roles/unkept/acme", 403, /no_store/],
  ])("at %s cannot issue, and says so", async (directory, status, detail) => {
    await world.put("pki/roles/unkept", { no_store: true });
    const answer = await get(`pki/${directory}/directory`);
    expect([answer.status, kindOf(answer)]).toEqual([status, "serverInternal"]);
    expect(answer.body.detail).toMatch(detail);
  });
});

describe("a signed request", () => {
  test.each<[string, Tampering, string]>([
    ["with a nonce that was never given", { nonce: "AAAA" }, "badNonce"],
    ["without a nonce", { nonce: "" }, "badNonce"],
    ["for another URL", { url: `${CLUSTER}/acme/new-order` }, "unauthorized"],
    ["for the same path elsewhere", { url: "https://other.test/v1/pki/acme/orders" }, "unauthorized"],
    ["with a changed payload", { body: { payload: "e30" } }, "unauthorized"],
    ["without a signature", { body: { signature: "" } }, "unauthorized"],
    ["whose header is no JSON", { body: { protected: "AAAA" } }, "malformed"],
    ["whose header is no base64url", { body: { protected: "{}" } }, "malformed"],
    [
      "of an account that there is not",
      { header: { kid: `${CLUSTER}/acme/account/${"0".repeat(36)}` } },
      "accountDoesNotExist",
    ],
    ["of an account elsewhere", { header: { kid: "https://other.test/account/1" } }, "malformed"],
  ])("%s is refused, with a fresh nonce", async (_what, tampering, kind) => {
    const made = await client();
    const answer = await made.post("orders", "", tampering);
    expect(kindOf(answer)).toBe(kind);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers["Replay-Nonce"]).toBeDefined();
    // What is refused before its signature is verified uses no nonce up, and harms no account.
    expect((await made.post("orders", "")).status).toBe(200);
  });

  test("is refused when it comes a second time", async () => {
    const made = await client();
    const nonce = await made.nonce();
    expect((await made.post("orders", "", { nonce })).status).toBe(200);
    const again = await made.post("orders", "", { nonce });
    expect([again.status, kindOf(again)]).toEqual([400, "badNonce"]);
  });

  test("may not keep its nonce for long, and what was used is not kept for ever", async () => {
    const made = await client();
    const nonce = await made.nonce();
    world.advance(30 * 60 - 1);
    expect((await made.post("orders", "", { nonce })).status).toBe(200);
    const old = await made.nonce();
    world.advance(30 * 60);
    expect(kindOf(await made.post("orders", "", { nonce: old }))).toBe("badNonce");
    await world.daemon();
    const mounts = (await world.get("sys/mounts")).body as { data: Record<string, { uuid: string }> };
    const prefix = `mount/${mounts.data["pki/"]?.uuid}/acme/nonce/`;
    expect((await world.barrier.list(prefix, { limit: 10 })).names).toEqual([]);
  });

  test("by another key than the account's is refused", async () => {
    const made = await client();
    const { privateKey } = await newKey();
    expect(kindOf(await made.post("orders", "", { key: privateKey }))).toBe("unauthorized");
  });

  test("needs a kid where an account signs, and a jwk where a key does; never both", async () => {
    const made = await client();
    const { kid, jwk } = made;
    expect(kindOf(await made.post("new-account", {}))).toBe("malformed");
    made.kid = "";
    expect(kindOf(await made.post("orders", ""))).toBe("malformed");
    expect(kindOf(await made.post("orders", "", { header: { kid } }))).toBe("malformed");
    expect(kindOf(await made.post("orders", "", { header: { jwk: "text" } }))).toBe("malformed");
    expect(jwk.kty).toBe("EC");
  });

  test.each([
    ["a MAC", { alg: "HS256" }, "badSignatureAlgorithm"],
    ["no signature", { alg: "none" }, "badSignatureAlgorithm"],
    ["a key of another kind", { alg: "RS256" }, "badPublicKey"],
  ])("with %s is refused", async (_what, { alg }, kind) => {
    const made = await TestClient.create(world);
    const url = `${CLUSTER}/acme/new-account`;
    const header = Buffer.from(JSON.stringify({ alg, url, nonce: await made.nonce(), jwk: made.jwk }));
    const answer = await made.post("new-account", {}, { body: { protected: header.toString("base64url") } });
    expect(kindOf(answer)).toBe(kind);
  });

  test.each<[string, JsonObject]>([
    ["symmetric", { kty: "oct", k: "AAAA" }],
    ["unknown", { kty: "XYZ" }],
    ["empty", {}],
  ])("with a key that is %s is refused", async (_what, jwk) => {
    const made = await TestClient.create(world);
    expect(kindOf(await made.post("new-account", {}, { header: { jwk } }))).toBe("badPublicKey");
  });

  test("with its private key in it is refused, and the key not kept", async () => {
    const made = await TestClient.create(world);
    const { exportJWK } = await import("jose");
    const jwk = (await exportJWK(made.key)) as unknown as JsonObject;
    expect(kindOf(await made.post("new-account", {}, { header: { jwk } }))).toBe("badPublicKey");
  });
});

describe("an account", () => {
  test("is made once for a key, and found again by it", async () => {
    const made = await TestClient.create(world);
    const contact = ["mailto:ops@example.test"];
    const first = await made.register({ contact, termsOfServiceAgreed: true });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      status: "valid",
      orders: `${CLUSTER}/acme/orders`,
      contact,
      termsOfServiceAgreed: true,
    });
    made.kid = "";
    const again = await made.register({});
    expect([again.status, again.headers.Location, again.body]).toEqual([
      200,
      first.headers.Location,
      first.body,
    ]);
    made.kid = "";
    expect((await made.register({ onlyReturnExisting: true })).status).toBe(200);
  });

  test("is not made where only an existing one is asked for", async () => {
    const made = await TestClient.create(world);
    expect(kindOf(await made.register({ onlyReturnExisting: true }))).toBe("accountDoesNotExist");
  });

  test("of one directory is none of another's", async () => {
    const made = await client("roles/web/acme");
    const other = await TestClient.create(world, "acme");
    Object.assign(other, { key: made.key, jwk: made.jwk, kid: made.kid });
    expect(kindOf(await other.post("orders", ""))).toBe("malformed");
    other.kid = made.kid.replace("roles/web/", "");
    expect(kindOf(await other.post("orders", ""))).toBe("accountDoesNotExist");
  });

  test.each([
    ["a telephone", ["tel:+1"], "unsupportedContact"],
    ["no URL", ["a b"], "malformed"],
    ["several addresses in one", ["mailto:a@b.test,c@d.test"], "malformed"],
    ["no list", "mailto:a@b.test", "malformed"],
    ["too many", Array.from({ length: 11 }, () => "mailto:a@b.test"), "malformed"],
  ])("with %s as contact is refused", async (_what, contact, kind) => {
    const made = await TestClient.create(world);
    expect(kindOf(await made.register({ contact }))).toBe(kind);
  });

  test("can be read and changed by itself alone", async () => {
    const [one, other] = [await client(), await client()];
    expect((await one.post(one.kid, { contact: ["mailto:new@example.test"] })).body.contact).toEqual([
      "mailto:new@example.test",
    ]);
    expect((await one.post(one.kid, "")).body.contact).toEqual(["mailto:new@example.test"]);
    expect(kindOf(await other.post(one.kid, ""))).toBe("unauthorized");
    expect(kindOf(await one.post(one.kid, { status: "revoked" }))).toBe("malformed");
  });

  test("that was deactivated does nothing any more, and its key gets no other", async () => {
    const made = await client();
    expect((await made.post(made.kid, { status: "deactivated" })).body.status).toBe("deactivated");
    expect(kindOf(await made.post("orders", ""))).toBe("unauthorized");
    made.kid = "";
    expect(kindOf(await made.register())).toBe("unauthorized");
  });
});

describe("a change of keys", () => {
  async function change(
    made: TestClient,
    inner: { header?: JsonObject; payload?: JsonObject; key?: CryptoKey } = {},
  ) {
    const { privateKey, jwk } = await newKey();
    const url = `${CLUSTER}/acme/key-change`;
    const header = { alg: "ES256", jwk, url, ...inner.header };
    const payload = { account: made.kid, oldKey: made.jwk as unknown as JsonObject, ...inner.payload };
    const signed = await sign(payload, header, inner.key ?? privateKey);
    return { answer: await made.post(url, signed as unknown as JsonObject), privateKey, jwk };
  }

  test("makes the new key the account's, and the old one nobody's", async () => {
    const made = await client();
    const { answer, privateKey, jwk } = await change(made);
    expect([answer.status, answer.headers.Location]).toEqual([200, made.kid]);
    expect(kindOf(await made.post("orders", ""))).toBe("unauthorized");
    const { kid, key: oldKey, jwk: oldJwk } = made;
    Object.assign(made, { key: privateKey, jwk });
    expect((await made.post("orders", "")).status).toBe(200);
    Object.assign(made, { kid: "" });
    expect((await made.register({ onlyReturnExisting: true })).headers.Location).toBe(kid);
    Object.assign(made, { key: oldKey, jwk: oldJwk, kid: "" });
    expect(kindOf(await made.register({ onlyReturnExisting: true }))).toBe("accountDoesNotExist");
  });

  test("to a key that another account has is refused, and says which", async () => {
    const [one, other] = [await client(), await client()];
    const { answer } = await change(one, {
      header: { jwk: other.jwk as unknown as JsonObject },
      key: other.key,
    });
    expect([answer.status, answer.headers.Location]).toEqual([409, other.kid]);
  });

  test.each([
    ["another account", { payload: { account: "https://other.test" } }],
    ["another old key", { payload: { oldKey: { kty: "EC", crv: "P-256", x: "AA", y: "AA" } } }],
    ["no old key", { payload: { oldKey: null } }],
    ["another url", { header: { url: "https://other.test" } }],
  ])("that speaks of %s is refused", async (_what, inner) => {
    expect(kindOf((await change(await client(), inner)).answer)).toBe("malformed");
  });

  test("that the new key has not signed is refused", async () => {
    const made = await client();
    expect(kindOf((await change(made, { key: made.key })).answer)).toBe("unauthorized");
  });
});
