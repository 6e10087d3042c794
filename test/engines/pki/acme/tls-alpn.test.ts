import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { octetString, toDer } from "../../../../src/engines/pki/x509/asn1.ts";
import { buildCertificate } from "../../../../src/engines/pki/x509/certificate.ts";
import { subjectAltName } from "../../../../src/engines/pki/x509/extensions.ts";
import { NO_NAMES } from "../../../../src/engines/pki/x509/general-names.ts";
import { privateKeyPem, publicKeyDer } from "../../../../src/engines/pki/x509/keys.ts";
import { encodeName } from "../../../../src/engines/pki/x509/name.ts";
import { pem } from "../../../../src/engines/pki/x509/pem.ts";
import { signerFor } from "../../../../src/engines/pki/x509/signature.ts";
import type { CoreWorld } from "../../../core/world.ts";
import { newCertificateKey } from "./csr.ts";
import { DnsServer } from "./dns-server.ts";
import { acmeWorld, TestClient } from "./world.ts";

let world: CoreWorld;
let dns: DnsServer;

beforeAll(async () => {
  dns = await DnsServer.open();
  world = await acmeWorld({ dns_resolver: dns.address });
});

afterAll(() => dns.close());

/** The certificate that RFC 8737 asks for, signed by itself. */
function challengeCertificate(name: string, keyAuthorization: string): { key: string; cert: string } {
  const key = newCertificateKey();
  const digest = createHash("sha256").update(keyAuthorization).digest();
  const subject = encodeName({ commonName: name });
  const der = buildCertificate(
    {
      serial: Buffer.of(1),
      issuer: subject,
      subject,
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 3_600_000,
      publicKey: publicKeyDer(key),
      extensions: [
        subjectAltName({ ...NO_NAMES, dns: [name] }, false),
        { oid: "1.3.6.1.5.5.7.1.31", critical: true, value: toDer(octetString(digest)) },
      ],
    },
    signerFor(key),
  );
  return { key: privateKeyPem(key, "pkcs8"), cert: pem("CERTIFICATE", der) };
}

/** Orders a name, and has it looked for by a TLS server that shows what `answer` makes of the key authorization. */
async function attempt(
  name: string,
  answer: (keyAuthorization: string) => Promise<{ name: string; keyAuthorization: string; protocol: string }>,
): Promise<{
  readonly status: unknown;
  readonly error: { readonly type?: string; readonly detail?: string };
}> {
  const client = await TestClient.create(world);
  await client.register();
  const order = await client.order(name);
  const [authorization = ""] = order.body.authorizations as readonly string[];
  const { body } = await client.post(authorization, "");
  const challenges = body.challenges as unknown as readonly { type: string; url: string; token: string }[];
  const { url = "", token = "" } = challenges.find(({ type }) => type === "tls-alpn-01") ?? {};
  const shown = await answer(`${token}.${await client.thumbprint()}`);
  const { key, cert } = challengeCertificate(shown.name, shown.keyAuthorization);
  const server: Server = createServer({ key, cert, ALPNProtocols: [shown.protocol] });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await world.put("pki/config/acme", { tls_alpn01_port: (server.address() as AddressInfo).port });
    await client.post(url, {});
    await world.daemon();
    const result = (await client.post(url, "")).body;
    return { status: result.status, error: (result.error ?? {}) as { type?: string; detail?: string } };
  } finally {
    server.close();
  }
}

describe("a name", () => {
  test("is proven by a TLS server that shows the challenge's digest", async () => {
    const { status, error } = await attempt("alpn.test", async (keyAuthorization) => ({
      name: "alpn.test",
      keyAuthorization,
      protocol: "acme-tls/1",
    }));
    expect([status, error]).toEqual(["valid", {}]);
  });

  test.each([
    ["another digest", { keyAuthorization: "other" }, /does not hold the challenge's digest/],
    ["a certificate for another name", { name: "other.test" }, /not for this name alone/],
    ["another protocol", { protocol: "http/1.1" }, /./],
  ])("is not proven by %s", async (_what, changed, detail) => {
    const { status, error } = await attempt("alpn.test", async (keyAuthorization) => ({
      name: "alpn.test",
      keyAuthorization,
      protocol: "acme-tls/1",
      ...changed,
    }));
    expect(status).toBe("processing");
    expect(error.detail).toMatch(detail);
  });
});
