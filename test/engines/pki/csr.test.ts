import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../src/base/json.ts";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
let root: string;
beforeAll(async () => {
  pki = await PkiWorld.create();
  root = String((await pki.root()).certificate);
  await pki.role("any", { key_type: "any" });
});
afterAll(() => pki.remove());

describe("sign", () => {
  test("issues for the key and the names of a request", async () => {
    const { csr } = pki.csr("/CN=a.example.com", "-addext", "subjectAltName=DNS:b.example.com,IP:10.0.0.1");
    const answer = await pki.must("pki/sign/any", { csr, ttl: "1h" });
    expect(Object.keys(answer)).not.toContain("private_key");
    expect(pki.distrust(String(answer.certificate), root)).toBe("");
    const text = pki.text(String(answer.certificate));
    for (const name of ["DNS:a.example.com", "DNS:b.example.com", "IP Address:10.0.0.1"]) {
      expect(text).toContain(name);
    }
  });

  test("warns of parameters that the role does not listen to", async () => {
    const { csr } = pki.csr("/CN=a.example.com");
    const { body } = await pki.world.put("pki/sign/any", {
      csr,
      ttl: "1h",
      common_name: "x.y",
      alt_names: "z.y",
    });
    expect((body as { warnings: string[] }).warnings).toEqual([
      'the common_name field was provided but the role is set with "use_csr_common_name" set to true',
      'the alt_names field was provided but the role is set with "use_csr_sans" set to true',
    ]);
  });

  test("takes the names of the parameters where the role says so", async () => {
    await pki.role("params", { key_type: "any", use_csr_common_name: false, use_csr_sans: false });
    const { csr } = pki.csr("/CN=evil.org", "-addext", "subjectAltName=DNS:evil.org");
    const { certificate } = await pki.must("pki/sign/params", { csr, common_name: "good.example.com" });
    expect(pki.text(String(certificate))).not.toContain("evil.org");
  });

  test("holds the names of the request against the role", async () => {
    await pki.role("strict", {
      key_type: "any",
      allow_any_name: false,
      allowed_domains: "example.com",
      allow_subdomains: true,
    });
    const { csr } = pki.csr("/CN=a.example.com", "-addext", "subjectAltName=DNS:evil.org");
    expect(await pki.refused("pki/sign/strict", { csr })).toBe(
      "subject alternate name evil.org not allowed by this role",
    );
    const mail = pki.csr("/CN=evil.org");
    expect(await pki.refused("pki/sign/strict", { csr: mail.csr })).toBe(
      "common name evil.org not allowed by this role",
    );
  });

  test("never makes a CA of who asks to be one", async () => {
    const { csr } = pki.csr(
      "/CN=a.example.com",
      "-addext",
      "basicConstraints=critical,CA:TRUE",
      "-addext",
      "keyUsage=keyCertSign",
    );
    for (const path of ["pki/sign/any", "pki/sign-verbatim", "pki/sign-verbatim/any"]) {
      const { certificate } = await pki.must(path, { csr });
      const text = pki.text(String(certificate));
      expect(text).not.toContain("CA:TRUE");
      expect(text).not.toContain("Certificate Sign");
    }
  });

  test("refuses keys that the role is not for", async () => {
    await pki.role("rsa", { key_type: "rsa", key_bits: 3072 });
    await pki.role("p384", { key_type: "ec", key_bits: 384 });
    const { csr } = pki.csr("/CN=a.example.com");
    expect(await pki.refused("pki/sign/rsa", { csr })).toBe("role requires keys of type rsa");
    expect(await pki.refused("pki/sign/p384", { csr })).toBe(
      "role requires a minimum of a 384-bit key, but CSR's key is 256 bits",
    );
    const keyFile = pki.file("");
    const small = pki.openssl(
      "req",
      "-new",
      "-newkey",
      "rsa:1024",
      "-nodes",
      "-keyout",
      keyFile,
      "-subj",
      "/CN=a.b",
    );
    expect(
      await pki.refused("pki/sign/any", { csr: small.text.slice(small.text.indexOf("-----BEGIN CERT")) }),
    ).toBe("RSA keys < 2048 bits are unsafe and not supported");
  });

  test("reads names of every kind of text, and never takes one kind for another", async () => {
    await pki.role("users", { key_type: "any", allowed_user_ids: "Żółw-1", allowed_other_sans: "*" });
    // OpenSSL writes such a name as BMPString: two bytes for each character.
    const config = pki.file("[req]\ndistinguished_name = dn\nstring_mask = default\n[dn]");
    const user = pki.csr("/UID=Żółw-1/CN=a.example.com", "-utf8", "-config", config);
    const { certificate } = await pki.must("pki/sign/users", { csr: user.csr });
    const shown = pki.openssl(
      ...["x509", "-noout", "-subject", "-nameopt", "utf8", "-in", pki.file(String(certificate))],
    );
    expect(shown.text).toContain("UID=Żółw-1");
    // An odd number of characters.
    const odd = pki.csr("/O=Łód/CN=a.example.com", "-utf8", "-config", config);
    expect(await pki.refused("pki/sign-verbatim", { csr: odd.csr })).toBe("");
    const other = pki.csr("/CN=a.example.com", "-addext", "subjectAltName=otherName:1.2.3.4;IA5:text");
    expect(await pki.refused("pki/sign/users", { csr: other.csr })).toBe(
      "the given csr has a malformed subject alternative name",
    );
  });

  test("verbatim takes subject, names and purposes as they are", async () => {
    const { csr } = pki.csr(
      "/O=Somebody/CN=anything at all",
      ...["-addext", "subjectAltName=DNS:x.y,email:u@x.y", "-addext", "extendedKeyUsage=codeSigning"],
      ...["-addext", "keyUsage=critical,digitalSignature"],
    );
    const { certificate } = await pki.must("pki/sign-verbatim", { csr });
    const text = pki.text(String(certificate));
    for (const part of ["O = Somebody, CN = anything at all", "DNS:x.y, email:u@x.y", "Code Signing"]) {
      expect(text).toContain(part);
    }
    expect(pki.distrust(String(certificate), root)).toBe("");
  });
});

describe("a request that is none", () => {
  const spoil = (csr: string, at: number): string => {
    const der = Buffer.from(csr.replace(/-----[A-Z ]+-----|\s/g, ""), "base64");
    der[at] = (der[at] ?? 0) ^ 0x01;
    return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----`;
  };
  const HOSTILE: readonly (readonly [what: string, csr: () => string, text: string | RegExp])[] = [
    ["nothing", () => "", '"csr" is empty'],
    ["spaces", () => "  \n ", '"csr" is empty'],
    ["a path", () => "/etc/ssl/request.pem", "csr contains no data"],
    ["an open block", () => "-----BEGIN CERTIFICATE REQUEST-----\nAAAA", "csr contains no data"],
    [
      "no base64",
      () => "-----BEGIN CERTIFICATE REQUEST-----\n!!!!\n-----END CERTIFICATE REQUEST-----",
      /csr contains no data/,
    ],
    [
      "an empty block",
      () => "-----BEGIN CERTIFICATE REQUEST-----\n\n-----END CERTIFICATE REQUEST-----",
      /csr contains no data/,
    ],
    [
      "zeros",
      () => `-----BEGIN CERTIFICATE REQUEST-----\n${"A".repeat(64)}\n-----END CERTIFICATE REQUEST-----`,
      /could not be parsed/,
    ],
    [
      "a certificate",
      () => root.replaceAll("CERTIFICATE", "CERTIFICATE REQUEST"),
      /could not be parsed|not supported/,
    ],
    [
      "another length",
      () => spoil(pki.csr("/CN=a.b").csr, 3),
      /could not be parsed|request signature invalid/,
    ],
    [
      "another signature",
      () => spoil(pki.csr("/CN=a.b").csr, 200),
      /request signature invalid|could not be parsed|not supported/,
    ],
    ["too much", () => "A".repeat(200_000), "the csr is too long"],
  ];
  test.each(HOSTILE)("(%s) is refused", async (_what, csr, text) => {
    const refusal = await pki.refused("pki/sign/any", { csr: csr() });
    if (typeof text === "string") expect(refusal).toBe(text);
    else expect(refusal).toMatch(text);
  });

  test("does not bring anything down, whichever of its bytes is wrong", async () => {
    const { csr } = pki.csr("/CN=a.example.com", "-addext", "subjectAltName=DNS:b.example.com");
    const bytes = Buffer.from(csr.replace(/-----[A-Z ]+-----|\s/g, ""), "base64").length;
    const before = await pki.world.send("LIST", "pki/certs/");
    for (let at = 0; at < bytes; at += 3) {
      const { status } = await pki.world.put("pki/sign/any", { csr: spoil(csr, at) });
      expect(status).toBe(400);
    }
    // Nothing was issued for any of them.
    expect((await pki.world.send("LIST", "pki/certs/")).body).toMatchObject({
      data: (before.body as JsonObject).data,
    });
  });
});

describe("parameters of the wrong kind", () => {
  const WRONG: readonly (readonly [path: string, body: JsonObject, text: RegExp])[] = [
    ["pki/roles/w", { ttl: "2h", max_ttl: "1h" }, /^"ttl" value must be less than "max_ttl" value$/],
    ["pki/roles/w", { ttl: "soon" }, /error converting input for field "ttl"/],
    ["pki/roles/w", { key_type: "dsa" }, /^unknown key type: dsa$/],
    ["pki/roles/w", { key_bits: 1024 }, /^RSA keys < 2048 bits are unsafe and not supported$/],
    ["pki/roles/w", { key_bits: 2049 }, /^unsupported bit length for RSA key: 2049$/],
    ["pki/roles/w", { key_type: "ec", key_bits: 255 }, /^unsupported bit length for EC key: 255$/],
    ["pki/roles/w", { signature_bits: 128 }, /^invalid signature bits: 128$/],
    ["pki/roles/w", { cn_validations: "phone" }, /^cn_validations value incorrect: unknown type: `phone`$/],
    [
      "pki/roles/w",
      { cn_validations: "disabled,email" },
      /^cn_validations value incorrect: cannot specify `disabled` along with `email` or `hostname`$/,
    ],
    [
      "pki/roles/w",
      { ext_key_usage_oids: "1.2.x" },
      /^"1.2.x" could not be parsed as a valid oid for an extended key usage$/,
    ],
    ["pki/roles/w", { key_usage: "Everything" }, /unknown key usage/],
    ["pki/roles/w", { ext_key_usage: "Everything" }, /unknown extended key usage/],
    ["pki/roles/w", { policy_identifiers: "1.2.3,x" }, /could not be parsed as a valid oid/],
    ["pki/roles/w", { not_after: "tomorrow" }, /is not a time/],
    ["pki/issue/nobody", { common_name: "a.b" }, /^unknown role: nobody$/],
    [
      "pki/issuer/nobody/issue/any",
      { common_name: "a.b", key_type: "ec" },
      /unable to find PKI issuer for reference: nobody$/,
    ],
    ["pki/issue/any", { common_name: "a.b" }, /^role key type "any" not allowed for issuing certificates/],
    ["pki/root/generate/shown", { common_name: "a.b" }, /^the "exported" path parameter must be/],
    ["pki/root/generate/internal", { common_name: "a.b", key_type: "any" }, /^unknown key type/],
    ["pki/root/generate/internal", { common_name: "a.b", max_path_length: -2 }, /max_path_length/],
    [
      "pki/root/generate/internal",
      { common_name: "a.b", permitted_ip_ranges: "10.0.0.0/33" },
      /permitted_ip_ranges/,
    ],
    [
      "pki/root/generate/internal",
      { common_name: "a.b", issuer_name: "default" },
      /^reserved keyword 'default'/,
    ],
    [
      "pki/root/generate/internal",
      { common_name: "a.b", issuer_name: "a/b" },
      /^issuer name contained invalid characters$/,
    ],
    ["pki/root/sign-intermediate", {}, /^"csr" is empty$/],
    ["pki/root/sign-self-issued", { certificate: "x" }, /certificate has to be one certificate in PEM/],
    [
      "pki/config/urls",
      { issuing_certificates: "not a url" },
      /^invalid URL found in Authority Information Access \(AIA\) parameter issuing_certificates: not a url$/,
    ],
    ["pki/config/cluster", { path: "here" }, /^invalid, non-URL path given to cluster: here$/],
    ["pki/config/crl", { expiry: "often" }, /^given expiry could not be decoded: often$/],
    ["pki/config/crl", { expiry: "0" }, /greater than zero/],
    [
      "pki/config/crl",
      { enable_delta: true },
      /^Delta CRLs cannot be enabled when auto rebuilding is disabled/,
    ],
    [
      "pki/config/crl",
      { auto_rebuild: true, expiry: "1h" },
      /^CRL auto-rebuilding grace period \(12h\) must be strictly shorter/,
    ],
    [
      "pki/config/issuers",
      { default: "" },
      /^Invalid issuer specification; must be non-empty and can't be 'default'.$/,
    ],
    ["pki/config/issuers", { default: "nobody" }, /^unable to find PKI issuer for reference: nobody$/],
    ["pki/revoke", {}, /^The serial number or certificate to revoke must be provided.$/],
    [
      "pki/revoke",
      { serial_number: "01", certificate: "x" },
      /^Must provide either the certificate or the serial to revoke; not both.$/,
    ],
    ["pki/revoke", { serial_number: "zz" }, /is not a serial number$/],
    ["pki/revoke", { serial_number: "01:02" }, /^certificate with serial 01:02 not found.$/],
    ["pki/issuers/import/bundle", { pem_bundle: "/tmp/ca.pem" }, /^provided data for import was too short/],
    ["pki/tidy", { tidy_cert_store: true, safety_buffer: 0 }, /^safety_buffer must be greater than zero$/],
    ["pki/tidy-cancel", {}, /^Tidy operation cannot be cancelled as none is currently running.$/],
    ["pki/config/auto-tidy", { enabled: true }, /^Auto-tidy enabled but no tidy operations were requested/],
  ];
  test.each(WRONG)("%s of %j is refused", async (path, body, text) => {
    expect(await pki.refused(path, body)).toMatch(text);
  });

  test("a key is not quoted in a refusal", async () => {
    const key = readFileSync(pki.csr("/CN=a.b").keyFile, "utf8");
    const damaged = key.replace(/\n(.)/, (_all, first: string) => `\n${first === "A" ? "B" : "A"}`);
    const refusal = await pki.refused("pki/keys/import", { pem_bundle: damaged });
    expect(refusal).toMatch(/failed to parse private key/);
    expect(refusal).not.toContain(key.slice(40, 60));
  });
});
