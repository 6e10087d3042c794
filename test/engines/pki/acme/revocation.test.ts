import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type KeyObject, X509Certificate } from "node:crypto";
import { exportJWK } from "jose";
import type { JsonObject } from "../../../../src/base/json.ts";
import { type CoreWorld, dataOf } from "../../../core/world.ts";
import { csrFor, newCertificateKey } from "./csr.ts";
import { type Answer, acmeWorld, ChallengeServer, TestClient } from "./world.ts";

let world: CoreWorld;
let web: ChallengeServer;

beforeAll(async () => {
  web = await ChallengeServer.open();
  world = await acmeWorld({ http01_port: web.port });
});

afterAll(() => web.close());

const kindOf = ({ body }: Answer): string => String(body.type).replace("urn:ietf:params:acme:error:", "");

async function client(): Promise<TestClient> {
  const made = await TestClient.create(world);
  await made.register();
  return made;
}

/** Proves that an account controls this machine's name, and finalizes the order where a key is given. */
async function order(made: TestClient, key?: KeyObject): Promise<string> {
  const placed = await made.order("localhost");
  const [authorization = ""] = placed.body.authorizations as readonly string[];
  const { body } = await made.post(authorization, "");
  const [challenge] = body.challenges as unknown as readonly { url: string; token: string }[];
  const { url = "", token = "" } = challenge ?? {};
  web.answers.set(`/.well-known/acme-challenge/${token}`, { body: `${token}.${await made.thumbprint()}` });
  await made.post(url, {});
  await world.daemon();
  if (key === undefined) return "";
  await made.post(String(placed.body.finalize), { csr: csrFor(["localhost"], { key }) });
  const { text } = await made.post(`${placed.headers.Location}/cert`, "");
  return new X509Certificate(text).raw.toString("base64url");
}

async function isRevoked(certificate: string): Promise<boolean> {
  const { serialNumber } = new X509Certificate(Buffer.from(certificate, "base64url"));
  const serial = serialNumber.toLowerCase().replace(/..\B/g, "$&-");
  return Number(dataOf(await world.get(`pki/cert/${serial}`)).revocation_time) > 0;
}

describe("a certificate", () => {
  test("is revoked by the account that ordered it, once", async () => {
    const made = await client();
    const certificate = await order(made, newCertificateKey());
    const { status, text } = await made.post("revoke-cert", { certificate, reason: 1 });
    expect([status, text]).toEqual([200, "null"]);
    expect(await isRevoked(certificate)).toBe(true);
    expect(kindOf(await made.post("revoke-cert", { certificate }))).toBe("alreadyRevoked");
  });

  test("is revoked by its own key, without any account", async () => {
    const key = newCertificateKey();
    const certificate = await order(await client(), key);
    const made = await TestClient.create(world);
    const jwk = (await exportJWK(key)) as unknown as JsonObject;
    const { d: _private, ...publicJwk } = jwk;
    const signing = { header: { jwk: publicJwk }, key: key as unknown as CryptoKey };
    expect((await made.post("revoke-cert", { certificate }, signing)).status).toBe(200);
    expect(await isRevoked(certificate)).toBe(true);
  });

  test("is revoked by an account that has shown that the names are its own now, by no other, and by no other key", async () => {
    const certificate = await order(await client(), newCertificateKey());
    const other = await client();
    const refused = await other.post("revoke-cert", { certificate });
    expect([refused.status, kindOf(refused)]).toEqual([403, "unauthorized"]);
    const stranger = await TestClient.create(world);
    expect(kindOf(await stranger.post("revoke-cert", { certificate }))).toBe("unauthorized");
    expect(await isRevoked(certificate)).toBe(false);
    await order(other);
    expect((await other.post("revoke-cert", { certificate })).status).toBe(200);
    expect(await isRevoked(certificate)).toBe(true);
  });

  test.each<[string, JsonObject, string]>([
    ["no certificate", {}, "malformed"],
    ["what is no certificate", { certificate: "AAAA" }, "malformed"],
    ["what is no base64url", { certificate: "+++" }, "malformed"],
  ])("is not found in %s", async (_what, payload, kind) => {
    expect(kindOf(await (await client()).post("revoke-cert", payload))).toBe(kind);
  });

  test.each([2, 6, 7, 8, 10, 11, -1, "1"])("is not revoked for the reason %j", async (reason) => {
    const made = await client();
    const certificate = await order(made, newCertificateKey());
    expect(kindOf(await made.post("revoke-cert", { certificate, reason }))).toBe("badRevocationReason");
    expect(await isRevoked(certificate)).toBe(false);
  });

  test("of the authority, or of another one, is not a client's to revoke", async () => {
    await world.put("sys/mounts/other", { type: "pki" });
    const foreign = dataOf(
      await world.put("other/root/generate/internal", { common_name: "Root", key_type: "ec" }),
    );
    const own = dataOf(await world.get("pki/cert/ca"));
    for (const { certificate } of [foreign, own]) {
      const sent = new X509Certificate(String(certificate)).raw.toString("base64url");
      expect(kindOf(await (await client()).post("revoke-cert", { certificate: sent }))).toBe("malformed");
    }
  });
});
