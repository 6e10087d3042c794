import { describe, expect, test } from "bun:test";
import { subjectKeyIdOf } from "../../../../src/engines/pki/x509/certificate.ts";
import { buildCrl, type RevokedCertificate } from "../../../../src/engines/pki/x509/crl.ts";
import { AUTHORITY_KINDS, OpensslAuthority, run } from "./authority.ts";

const DAY_MS = 86_400_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const TERMS = { number: 7, thisUpdate: NOW - 60_000, nextUpdate: NOW + 3 * DAY_MS } as const;

function hex(serial: string): Uint8Array {
  return Buffer.from(serial, "hex");
}

const REVOKED: readonly RevokedCertificate[] = [
  { serial: hex("1001"), revokedAt: Date.UTC(2026, 0, 2, 3, 4, 5) },
  { serial: hex("ff00ff"), revokedAt: Date.UTC(2051, 5, 6), reason: 1 },
];

describe.each(AUTHORITY_KINDS)("a CRL signed with an %s key", (kind) => {
  const authority = new OpensslAuthority(kind);
  const base = { ...TERMS, issuer: authority.certificate, signer: authority.signer };

  test("is verified and read by openssl", async () => {
    const file = authority.write("complete.crl", buildCrl({ ...base, revoked: REVOKED }));
    const shown = run(
      "openssl",
      "crl",
      "-inform",
      "DER",
      "-in",
      file,
      "-noout",
      "-text",
      "-CAfile",
      authority.certFile,
    );
    expect(shown.stderr).toContain("verify OK");
    expect(shown.stdout).toContain("Version 2 (0x1)");
    expect(shown.stdout).toMatch(/X509v3 CRL Number: \n\s+7\n/);
    expect(shown.stdout).toMatch(/Serial Number: 1001\n\s+Revocation Date: Jan {2}2 03:04:05 2026 GMT/);
    expect(shown.stdout).toMatch(/Serial Number: FF00FF\n\s+Revocation Date: Jun {2}6 00:00:00 2051 GMT/);
    expect(shown.stdout).toMatch(/X509v3 CRL Reason Code: \n\s+Key Compromise/);
    expect(shown.stdout).not.toContain("Delta CRL");
    const asn1 = run("openssl", "asn1parse", "-inform", "DER", "-in", file);
    expect(asn1.stdout).toContain("GENERALIZEDTIME   :20510606000000Z");
  });

  test("makes openssl refuse the certificate that it lists, and no other", async () => {
    const good = authority.issue("good", 0x2001);
    const bad = authority.issue("bad", 0x1001);
    const file = authority.write("check.crl", buildCrl({ ...base, revoked: REVOKED }));
    const verify = (cert: string): string => {
      const args = ["-crl_check", "-CRLfile", file, "-CAfile", authority.certFile, cert];
      const { stdout, stderr } = run("openssl", "verify", ...args);
      return stdout + stderr;
    };
    expect(verify(good.certFile)).toContain("good.crt: OK");
    expect(verify(bad.certFile)).toContain("certificate revoked");
  });
});

describe("a CRL", () => {
  const authority = new OpensslAuthority("ec");
  const base = { ...TERMS, issuer: authority.certificate, signer: authority.signer };

  async function text(crl: Buffer): Promise<string> {
    const file = authority.write("shown.crl", crl);
    const args = ["-inform", "DER", "-in", file, "-noout", "-text", "-CAfile", authority.certFile];
    const { stdout, stderr } = run("openssl", "crl", ...args);
    expect(stderr).toContain("verify OK");
    return stdout;
  }

  test("without entries has no list, as the standard demands", async () => {
    expect(await text(buildCrl({ ...base, revoked: [] }))).toContain("No Revoked Certificates.");
  });

  test("that is a delta says critically which one it completes", async () => {
    const shown = await text(buildCrl({ ...base, number: 9, baseNumber: 7, revoked: REVOKED }));
    expect(shown).toMatch(/X509v3 Delta CRL Indicator: critical\n\s+7\n/);
    expect(shown).toMatch(/X509v3 CRL Number: \n\s+9\n/);
  });

  test("names where its deltas are, and whose key signed it", async () => {
    const shown = await text(
      buildCrl({ ...base, revoked: [], deltaUrls: ["http://a.test/delta", "http://b.test/delta"] }),
    );
    expect(shown).toMatch(
      /X509v3 Freshest CRL:[\s\S]+URI:http:\/\/a\.test\/delta[\s\S]+URI:http:\/\/b\.test\/delta/,
    );
    const id = subjectKeyIdOf(authority.certificate).toString("hex").toUpperCase().replace(/..\B/g, "$&:");
    expect(shown).toContain(id);
  });

  test("takes further extensions of its own and of an entry; a given one replaces ours", async () => {
    const invalidSince = {
      oid: "2.5.29.24",
      critical: false,
      value: Buffer.from("180f32303235303130313030303030305a", "hex"),
    };
    const number = { oid: "2.5.29.20", critical: false, value: Buffer.from("020163", "hex") };
    const entry = { ...(REVOKED[0] as RevokedCertificate), extensions: [invalidSince] };
    const shown = await text(buildCrl({ ...base, revoked: [entry], extensions: [number] }));
    expect(shown).toMatch(/Invalidity Date: \n\s+Jan {2}1 00:00:00 2025 GMT/);
    expect(shown).toMatch(/X509v3 CRL Number: \n\s+0x63|X509v3 CRL Number: \n\s+99/);
    expect(shown).not.toMatch(/X509v3 CRL Number: \n\s+7\n/);
  });

  test("keeps a number of 20 bytes, and a serial number whose first bit is set positive", async () => {
    const number = 2n ** 152n + 5n;
    const shown = await text(buildCrl({ ...base, number, revoked: [{ serial: hex("80"), revokedAt: NOW }] }));
    expect(shown).toContain(number.toString(16).toUpperCase());
    expect(shown).toMatch(/Serial Number: 80\n/);
  });
});
