import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { JsonObject } from "../../../src/base/json.ts";
import { buildCsr } from "../../../src/engines/pki/x509/csr.ts";
import { publicKeyDer } from "../../../src/engines/pki/x509/keys.ts";
import { encodeName } from "../../../src/engines/pki/x509/name.ts";
import { pem } from "../../../src/engines/pki/x509/pem.ts";
import { signerFor } from "../../../src/engines/pki/x509/signature.ts";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
  await pki.root();
  await pki.role("any", { enforce_hostnames: false, allowed_uri_sans: "*", ttl: "1h" });
});
afterAll(() => pki.remove());

/** A general name in DER, and a request for it. */
const requestFor = (tag: number, text: string): string => {
  const name = Buffer.concat([Buffer.of(tag, text.length), Buffer.from(text, "latin1")]);
  const names = Buffer.concat([Buffer.of(0x30, name.length), name]).toString("hex");
  return pki.csr("/CN=Bob", "-addext", `subjectAltName=DER:${names}`).csr;
};

/** A request with a common name that openssl would not write. */
function requestOf(commonName: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const content = {
    subject: encodeName({ commonName }),
    publicKey: publicKeyDer(privateKey),
    extensions: [],
  };
  return pem("CERTIFICATE REQUEST", buildCsr(content, signerFor(privateKey)));
}

/** Every way to sign a request with the names that it has. */
const WAYS: readonly (readonly [path: string, more: JsonObject])[] = [
  ["pki/sign/any", {}],
  ["pki/sign-verbatim", {}],
  ["pki/sign-verbatim/any", {}],
  ["pki/root/sign-intermediate", { use_csr_values: true }],
];

describe.each(WAYS)("a request that %s is given", (path, more) => {
  test.each([
    ["a DNS name with a NUL", 0x82, "good.org\0.evil.org"],
    ["a DNS name with a line break", 0x82, "good.org\nevil.org"],
    ["an address with a NUL", 0x81, "bob@good.org\0@evil.org"],
    ["an address with a line break", 0x81, "bob\r@good.org"],
    ["a URI with a NUL", 0x86, "https://good.org\0.evil.org/"],
    ["a URI with a tab", 0x86, "https://good.org\t.evil.org/"],
    ["a DNS name with a DEL", 0x82, "good\x7f.org"],
  ])("is refused for %s", async (_what, tag, text) => {
    expect(await pki.refused(path, { csr: requestFor(tag, text), ...more })).toMatch(
      /not allowed|not valid for this role|the given csr has a name with a control character/,
    );
  });

  test("is refused for a common name with a NUL, where that is taken from it", async () => {
    const csr = requestOf("good.org\0.evil.org");
    expect(await pki.refused(path, { csr, ...more })).toMatch(/not allowed|with a control character/);
  });

  test("is refused when it has an extension twice", async () => {
    const twice = ["-addext", "keyUsage=digitalSignature", "-addext", "2.5.29.15=critical,DER:03020780"];
    expect(await pki.refused(path, { csr: pki.csr("/CN=a.b", ...twice).csr, ...more })).toBe(
      "certificate request could not be parsed: an extension that is there twice: 2.5.29.15",
    );
  });
});

test("a request signed as it is becomes no CA in the eyes of old programs either", async () => {
  const { csr } = pki.csr("/CN=a.b", "-addext", "nsCertType=sslCA,emailCA,objCA");
  const { certificate } = await pki.must("pki/sign-verbatim", { csr, key_usage: "", ttl: "1h" });
  expect(pki.text(String(certificate))).not.toContain("Netscape");
});

test("a CA's request says nothing of where its issuer's CRLs are", async () => {
  const { csr } = pki.csr("/CN=Sub", "-addext", "freshestCRL=URI:http://evil.org/crl");
  const { certificate } = await pki.must("pki/root/sign-intermediate", { csr, use_csr_values: true });
  expect(pki.text(String(certificate))).not.toContain("evil.org");
});
