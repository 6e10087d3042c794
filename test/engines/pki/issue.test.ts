import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import type { Json, JsonObject } from "../../../src/base/json.ts";
import { dataOf } from "../../core/world.ts";
import { has, PkiWorld, YEARS_SECONDS } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

describe("the first steps of the manual", () => {
  test("make a root, a role and a certificate that openssl trusts", async () => {
    const root = await pki.must("pki/root/generate/internal", { common_name: "example.com", ttl: "87600h" });
    expect(Object.keys(root).sort()).toEqual([
      "certificate",
      "expiration",
      "issuer_id",
      "issuer_name",
      "issuing_ca",
      "key_id",
      "key_name",
      "serial_number",
    ]);
    expect(root.expiration).toBe(Math.floor(pki.world.now / 1000) + YEARS_SECONDS);
    await pki.must("pki/roles/myapp", {
      allowed_domains: "example.com",
      allow_subdomains: true,
      max_ttl: "72h",
    });
    const leaf = await pki.must("pki/issue/myapp", { common_name: "api.example.com", ttl: "24h" });
    expect(Object.keys(leaf).sort()).toEqual([
      "ca_chain",
      "certificate",
      "expiration",
      "issuing_ca",
      "private_key",
      "private_key_type",
      "serial_number",
    ]);
    expect(leaf.issuing_ca).toBe(root.certificate as string);
    expect(leaf.ca_chain).toEqual([root.certificate as string]);
    expect(leaf.expiration).toBe(Math.floor(pki.world.now / 1000) + 24 * 3600);
    expect(leaf.private_key_type).toBe("rsa");
    expect(
      pki.distrust(String(leaf.certificate), String(root.certificate), [], "-purpose", "sslserver"),
    ).toBe("");
    const text = pki.text(String(leaf.certificate));
    expect(text).toContain("DNS:api.example.com");
    expect(text).toContain("Digital Signature, Key Encipherment, Key Agreement");
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    expect(text).toContain(String(leaf.serial_number));
  });

  test("have the certificate listed and read by its serial number, in either form", async () => {
    const leaf = await pki.must("pki/issue/myapp", { common_name: "a.example.com" });
    const serial = String(leaf.serial_number);
    const { keys } = dataOf(await pki.world.send("LIST", "pki/certs/"));
    expect(keys).toContain(serial);
    for (const form of [serial, serial.replaceAll(":", "-"), serial.toUpperCase()]) {
      expect(await pki.read(`pki/cert/${form}`)).toEqual({
        certificate: `${leaf.certificate}\n`,
        revocation_time: 0,
        revocation_time_rfc3339: "",
        issuer_id: "",
      });
    }
    expect((await pki.world.get("pki/cert/01:02")).status).toBe(404);
  });
});

/** Each kind of key that an issuer may have, and how it signs. */
const ISSUERS: readonly (readonly [name: string, options: JsonObject, algorithm: string])[] = [
  ["RSA 2048", { key_type: "rsa", key_bits: 2048 }, "sha256WithRSAEncryption"],
  [
    "RSA 3072 with SHA-384",
    { key_type: "rsa", key_bits: 3072, signature_bits: 384 },
    "sha384WithRSAEncryption",
  ],
  ["RSA 2048 with PSS", { key_type: "rsa", use_pss: true, signature_bits: 512 }, "rsassaPss"],
  ["P-256", { key_type: "ec", key_bits: 256 }, "ecdsa-with-SHA256"],
  ["P-384", { key_type: "ec", key_bits: 384 }, "ecdsa-with-SHA384"],
  ["P-521", { key_type: "ec", key_bits: 521 }, "ecdsa-with-SHA512"],
  ["Ed25519", { key_type: "ed25519" }, "ED25519"],
];

const judges = has("certtool") ? "openssl and certtool trust" : "openssl trusts (certtool is not installed)";

describe("an issuer with a key of", () => {
  test.each(ISSUERS)(`%s issues what ${judges}`, async (_name, options, algorithm) => {
    const mount = `kind-${algorithm.toLowerCase().replaceAll(/[^a-z0-9]/g, "")}-${options.key_bits ?? 0}`;
    await pki.mount(mount);
    const root = await pki.must(`${mount}/root/generate/internal`, {
      common_name: "A root",
      ttl: YEARS_SECONDS,
      ...options,
    });
    const { signature_bits = 0, use_pss = false, ...kind } = options;
    await pki.must(`${mount}/roles/r`, { allow_any_name: true, ...kind, signature_bits, use_pss });
    const leaf = await pki.must(`${mount}/issue/r`, { common_name: "host.example.com", ttl: "1h" });
    const certificate = String(leaf.certificate);
    expect(pki.text(certificate)).toContain(`Signature Algorithm: ${algorithm}`);
    expect(pki.text(String(root.certificate))).toContain(`Signature Algorithm: ${algorithm}`);
    expect(pki.distrust(certificate, String(root.certificate))).toBe("");
    const key = createPrivateKey(String(leaf.private_key));
    const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
    expect(new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" })).toEqual(
      publicKey,
    );
    if (!has("certtool")) return;
    const trusted = pki.file(String(root.certificate));
    const { text } = pki.certtool(
      "--verify",
      "--load-ca-certificate",
      trusted,
      "--infile",
      pki.file(certificate),
    );
    expect(text).toContain("Output: Verified. The certificate is trusted.");
  });
});

describe("the form of an answer", () => {
  beforeAll(async () => {
    await pki.role("any", { key_type: "any" });
  });

  const KEYS: readonly (readonly [type: string, label: string])[] = [
    ["rsa", "RSA PRIVATE KEY"],
    ["ec", "EC PRIVATE KEY"],
    ["ed25519", "PRIVATE KEY"],
  ];
  test.each(KEYS)("is, of a key of type %s, a block %s, or PKCS#8 on request", async (type, label) => {
    const request = { common_name: "a.b", key_type: type };
    const own = await pki.must("pki/issue/any", request);
    expect(String(own.private_key)).toStartWith(`-----BEGIN ${label}-----\n`);
    const pkcs8 = await pki.must("pki/issue/any", { ...request, private_key_format: "pkcs8" });
    expect(String(pkcs8.private_key)).toStartWith("-----BEGIN PRIVATE KEY-----\n");
    expect(own.private_key_type).toBe(type);
  });

  test("is PEM without a line break at its end", async () => {
    const { certificate } = await pki.must("pki/issue/any", { common_name: "a.b", key_type: "ec" });
    expect(String(certificate)).toEndWith("-----END CERTIFICATE-----");
  });

  test("may be DER in base64", async () => {
    const answer = await pki.must("pki/issue/any", { common_name: "a.b", key_type: "ec", format: "der" });
    const der = Buffer.from(String(answer.certificate), "base64");
    expect(new X509Certificate(der).subject).toBe("CN=a.b");
    const key = Buffer.from(String(answer.private_key), "base64");
    expect(createPrivateKey({ key, type: "sec1", format: "der" }).asymmetricKeyType).toBe("ec");
  });

  test("may be one bundle of key, certificate and chain", async () => {
    const answer = await pki.must("pki/issue/any", {
      common_name: "a.b",
      key_type: "ec",
      format: "pem_bundle",
    });
    const labels = [...String(answer.certificate).matchAll(/BEGIN ([A-Z ]+)-/g)].map(([, label]) => label);
    expect(labels).toEqual(["EC PRIVATE KEY", "CERTIFICATE", "CERTIFICATE"]);
  });

  test("drops roots from the chain when asked", async () => {
    const request = { common_name: "a.b", key_type: "ec", remove_roots_from_chain: true };
    expect((await pki.must("pki/issue/any", request)).ca_chain).toEqual([]);
  });

  test("that there is not is refused", async () => {
    expect(
      await pki.refused("pki/issue/any", { common_name: "a.b", key_type: "ec", format: "jks" }),
    ).toContain('the "format" path parameter must be "pem", "der", or "pem_bundle"');
  });
});

describe("how long a certificate is valid", () => {
  const at = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+/, "");
  const endOf = (answer: JsonObject): number => Number(answer.expiration) - Math.floor(pki.world.now / 1000);

  test("is the role's ttl, else the mount's", async () => {
    await pki.role("hour", { ttl: "1h" });
    await pki.role("plain", { max_ttl: 0 });
    expect(endOf(await pki.must("pki/issue/hour", { common_name: "a.b" }))).toBe(3600);
    expect(endOf(await pki.must("pki/issue/plain", { common_name: "a.b" }))).toBe(768 * 3600);
  });

  test("is capped by the role with a warning, and by the mount below that", async () => {
    await pki.role("capped", { max_ttl: "24h" });
    const { body } = await pki.world.put("pki/issue/capped", { common_name: "a.b", ttl: "48h" });
    expect((body as { warnings: string[] }).warnings).toEqual([
      'TTL "48h0m0s" is longer than permitted maxTTL "24h0m0s", so maxTTL is being used',
    ]);
    expect(endOf(dataOf({ status: 200, body }))).toBe(24 * 3600);
  });

  test("may end at a fixed time, which is not past, and not together with ttl", async () => {
    await pki.role("fixed");
    const end = at(pki.world.now + 3600_000);
    expect(endOf(await pki.must("pki/issue/fixed", { common_name: "a.b", not_after: end }))).toBe(3600);
    const past = at(pki.world.now - 1000);
    expect(await pki.refused("pki/issue/fixed", { common_name: "a.b", not_after: past })).toBe(
      `cannot satisfy request, as NotAfter date ${past} is in the past`,
    );
    expect(await pki.refused("pki/issue/fixed", { common_name: "a.b", not_after: end, ttl: "1h" })).toBe(
      "Either ttl or not_after should be provided. Both should not be provided in the same request.",
    );
    expect(
      await pki.refused("pki/issue/fixed", { common_name: "a.b", not_after: "2027-02-30T00:00:00Z" }),
    ).toContain("is not a time");
  });

  test("begins before now by not_before_duration", async () => {
    await pki.role("back", { not_before_duration: "1h" });
    const { certificate } = await pki.must("pki/issue/back", { common_name: "a.b" });
    expect(Date.parse(new X509Certificate(String(certificate)).validFrom)).toBe(pki.world.now - 3600_000);
  });

  test("is refused, cut or kept beyond the issuer's end, as the issuer says", async () => {
    await pki.mount("short");
    await pki.must("short/root/generate/internal", { common_name: "R", ttl: "10h", key_type: "ec" });
    await pki.must("short/roles/r", { allow_any_name: true, key_type: "ec" });
    const end = pki.world.now + 10 * 3600_000;
    const request = { common_name: "a.b", ttl: "20h" };
    expect(await pki.refused("short/issue/r", request)).toBe(
      `cannot satisfy request, as TTL would result in notAfter of ${at(pki.world.now + 20 * 3600_000)} that is beyond the expiration of the CA certificate at ${at(end)}`,
    );
    const patch = (behavior: string) =>
      pki.world.send("PATCH", "short/issuer/default", { body: { leaf_not_after_behavior: behavior } });
    await patch("truncate");
    expect(endOf(await pki.must("short/issue/r", request))).toBe(10 * 3600);
    await patch("permit");
    expect(endOf(await pki.must("short/issue/r", request))).toBe(20 * 3600);
  });
});

describe("a lease", () => {
  test("is only made when the role says so, and revokes the certificate with it", async () => {
    await pki.role("leased", { generate_lease: true, ttl: "2h" });
    const plain = (await pki.world.put("pki/issue/any", { common_name: "a.b", key_type: "ec" }))
      .body as JsonObject;
    expect(plain).toMatchObject({ lease_id: "", lease_duration: 0, renewable: false });
    const { body } = await pki.world.put("pki/issue/leased", { common_name: "a.b" });
    const { lease_id, lease_duration, renewable, data } = body as {
      lease_id: string;
      lease_duration: number;
      renewable: boolean;
      data: { serial_number: string };
    };
    expect(lease_id).toStartWith("pki/issue/leased/");
    expect([lease_duration, renewable]).toEqual([7200, false]);
    expect(await pki.read(`pki/cert/${data.serial_number}`)).toMatchObject({ revocation_time: 0 });
    await pki.must("sys/leases/revoke", { lease_id });
    expect(await pki.read(`pki/cert/${data.serial_number}`)).toMatchObject({
      revocation_time: Math.floor(pki.world.now / 1000),
    });
  });

  test("that ends in its time leaves nothing on the CRL", async () => {
    pki.world.advance(0.7);
    const { serial_number: serial } = await pki.must("pki/issue/leased", { common_name: "z.b" });
    pki.world.advance(7201);
    await pki.world.daemon();
    expect(await pki.read(`pki/cert/${serial}`)).toMatchObject({ revocation_time: 0 });
  });

  test("is not made of what is not kept", async () => {
    const { body } = await pki.world.put("pki/roles/unkept", {
      allow_any_name: true,
      key_type: "ec",
      no_store: true,
      generate_lease: true,
    });
    expect(body).toMatchObject({
      data: { generate_lease: false, no_store: true },
      warnings: [
        "mutually exclusive values no_store=true and generate_lease=true were both specified; no_store=true takes priority",
      ],
    });
    const { serial_number: serial } = await pki.must("pki/issue/unkept", { common_name: "a.b" });
    expect((await pki.world.get(`pki/cert/${serial}`)).status).toBe(404);
    expect(await pki.refused("pki/revoke", { serial_number: serial ?? "" })).toBe(
      `certificate with serial ${serial} not found.`,
    );
  });
});

describe("policies", () => {
  const FORMS: readonly (readonly [form: string, given: Json])[] = [
    ["a text with commas", "1.2.3.4,1.2.3.5"],
    ["a list", ["1.2.3.4", "1.2.3.5"]],
    [
      "JSON in a text",
      '[{"oid":"1.2.3.4"},{"oid":"1.2.3.5","notice":"Mind the step","cps":"https://a.b/cps"}]',
    ],
    ["objects", [{ oid: "1.2.3.4" }, { oid: "1.2.3.5", notice: "Mind the step", cps: "https://a.b/cps" }]],
  ];
  test.each(FORMS)("are given as %s", async (form, given) => {
    const { policy_identifiers: kept } = await pki.role("policies", { policy_identifiers: given, ttl: "1h" });
    const isLong = form.includes("JSON") || form === "objects";
    const second = isLong ? { oid: "1.2.3.5", notice: "Mind the step", cps: "https://a.b/cps" } : "1.2.3.5";
    expect(kept).toEqual(["1.2.3.4", second]);
    const { certificate } = await pki.must("pki/issue/policies", { common_name: "a.b" });
    const text = pki.text(String(certificate));
    expect(text).toContain("Policy: 1.2.3.4");
    expect(text).toContain("Policy: 1.2.3.5");
    expect(text.includes("Explicit Text: Mind the step")).toBe(isLong);
    expect(text.includes("CPS: https://a.b/cps")).toBe(isLong);
  });
});
