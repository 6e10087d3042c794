import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { zlintMissing } from "../../servers/zlint.ts";
import { PkiWorld, YEARS_SECONDS } from "./world.ts";

/*
 * All that zlint, which knows the rules of browsers and RFC 5280, has to say of what a mount issues that is configured as those
 * rules want it: URLs, policies, and the usages of each kind of certificate are given. What is left stands here, with the reason
 * why it stays. The lists hold exactly: a finding that goes has to go here too.
 */

/** Every finding that is left on some certificate, and why. */
const REASONS: Readonly<Record<string, string>> = {
  "error: e_algorithm_identifier_improper_encoding": "browsers have no ed25519, in keys",
  "error: e_signature_algorithm_not_supported": "browsers have no ed25519, in signatures",
  "warn: e_signature_algorithm_not_supported": "browsers do not have to know RSA-PSS",
  "warn: w_ext_subject_key_identifier_not_recommended_subscriber":
    "Vault states the key id of every certificate",
  "warn: w_subject_common_name_included":
    "Vault's roles want a common name; one with require_cn=false does without",
  "info: w_ct_sct_policy_count_unsatisfied": "no public log takes the certificates of a private CA",
};

/** What comes of Vault's defaults for key usages and policies, where a role and a request say nothing else. */
const REASONS_OF_DEFAULTS: Readonly<Record<string, string>> = {
  "error: e_rsa_allowed_ku_ee": "the default key_usage holds KeyAgreement, which RSA has not",
  "error: e_ecdsa_allowed_ku": "the default key_usage holds KeyEncipherment, which curves have not",
  "info: n_ecdsa_ee_invalid_ku": "the same, by a second rule",
  "error: e_sub_cert_eku_missing": "sign-verbatim has no default ext_key_usage",
  "error: e_sub_cert_cert_policy_empty": "there is no default policy",
  "error: e_sub_cert_certificate_policies_missing": "the same, by a second rule",
  "error: e_sub_ca_certificate_policies_missing": "there is no default policy of a CA",
  "info: n_ca_digital_signature_not_set": "a CA's key_usage is by default for certificates and CRLs alone",
  "info: n_sub_ca_eku_missing": "a CA is by default not bound to a purpose",
  "info: n_mp_allowed_eku": "the same, by a second rule",
};

const OF_ED25519 = [
  "error: e_algorithm_identifier_improper_encoding",
  "error: e_signature_algorithm_not_supported",
] as const;
const OF_PSS = ["warn: e_signature_algorithm_not_supported"] as const;
const OF_EVERY_LEAF = [
  "info: w_ct_sct_policy_count_unsatisfied",
  "warn: w_ext_subject_key_identifier_not_recommended_subscriber",
] as const;
const OF_A_COMMON_NAME = ["warn: w_subject_common_name_included"] as const;
const OF_NO_POLICY = [
  "error: e_sub_cert_cert_policy_empty",
  "error: e_sub_cert_certificate_policies_missing",
] as const;
const OF_CA_DEFAULTS = [
  "error: e_sub_ca_certificate_policies_missing",
  "info: n_ca_digital_signature_not_set",
  "info: n_mp_allowed_eku",
  "info: n_sub_ca_eku_missing",
] as const;
const OF_EC_DEFAULTS = ["error: e_ecdsa_allowed_ku", "info: n_ecdsa_ee_invalid_ku"] as const;

const POLICY = "2.23.140.1.2.1";
const URLS: JsonObject = {
  issuing_certificates: "http://ca.example.com/ca",
  crl_distribution_points: "http://ca.example.com/crl",
  ocsp_servers: "http://ca.example.com/ocsp",
};
const RULES: JsonObject = { allowed_domains: "example.com", allow_subdomains: true, ttl: "24h" };

const missing = zlintMissing();
const skipped = missing === undefined ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`zlint finds nothing but what is listed${skipped}`, () => {
  let pki: PkiWorld;
  beforeAll(async () => {
    pki = await PkiWorld.create();
  });
  afterAll(() => pki.remove());

  /** Its findings, as level and name, by what was looked at. Each of these is PEM. */
  function findings(pems: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
    const files = Object.values(pems).map((text) => pki.file(String(text)));
    const answers = pki
      .zlint(...files)
      .trim()
      .split("\n");
    expect(answers).toHaveLength(files.length);
    return Object.fromEntries(
      Object.keys(pems).map((name, index) => {
        const verdicts = JSON.parse(answers[index] ?? "") as Record<string, { result: string }>;
        const found = Object.entries(verdicts).filter(
          ([, { result }]) => !["pass", "NA", "NE"].includes(result),
        );
        return [name, found.map(([rule, { result }]) => `${result}: ${rule}`).sort()];
      }),
    );
  }

  const signatureOf = (type: string): readonly string[] => (type === "ed25519" ? OF_ED25519 : []);
  const sorted = (...lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())].sort();

  /** A request of openssl's, always for a key on a curve. */
  const request = (...options: readonly string[]): string =>
    pki.csr("/CN=a.example.com", "-addext", "subjectAltName=DNS:a.example.com", ...options).csr;

  describe.each(["rsa", "ec", "ed25519"])("on a CA of type %s", (type) => {
    let root: JsonObject;
    const mount = type;
    beforeAll(async () => {
      await pki.mount(mount);
      await pki.must(`${mount}/config/urls`, URLS);
      root = await pki.must(`${mount}/root/generate/internal`, {
        organization: "Acme",
        country: "DE",
        common_name: "Root of Acme",
        key_type: type,
        key_usage: "DigitalSignature",
        ttl: YEARS_SECONDS,
      });
    });

    test("in CAs", async () => {
      const terms: JsonObject = {
        organization: "Acme",
        country: "DE",
        ttl: "43800h",
        key_usage: "DigitalSignature",
        ext_key_usage: "ServerAuth",
        policy_identifiers: POLICY,
      };
      const { csr } = await pki.must(`${mount}/intermediate/generate/internal`, {
        common_name: "Sub",
        key_type: type,
      });
      const sign = async (name: string, more: JsonObject): Promise<unknown> =>
        (
          await pki.must(`${mount}/root/sign-intermediate`, {
            csr: String(csr),
            ...terms,
            common_name: name,
            ...more,
          })
        ).certificate;
      const { key_id: next } = await pki.must(`${mount}/root/rotate/internal`, {
        common_name: "Next root of Acme",
        key_type: type,
      });
      const { csr: cross } = await pki.must(`${mount}/intermediate/cross-sign`, {
        common_name: "Next root of Acme",
        organization: "Acme",
        country: "DE",
        key_ref: String(next),
      });
      expect(
        findings({
          root: root.certificate,
          intermediate: await sign("Issuing CA of Acme", { max_path_length: 0 }),
          bound: await sign("Bound CA of Acme", {
            permitted_dns_domains: "example.com",
            excluded_ip_ranges: "0.0.0.0/0,::/0",
          }),
          "cross-signed": await sign("", { csr: String(cross), use_csr_values: true }),
        }),
      ).toEqual({
        root: sorted(signatureOf(type)),
        intermediate: sorted(signatureOf(type)),
        bound: sorted(signatureOf(type)),
        "cross-signed": sorted(signatureOf(type)),
      });
    });

    test("in certificates", async () => {
      const configured: JsonObject = {
        ...RULES,
        key_type: type,
        key_usage: "DigitalSignature",
        policy_identifiers: POLICY,
        basic_constraints_valid_for_non_ca: true,
        allowed_uri_sans: "*",
      };
      await pki.must(`${mount}/roles/good`, configured);
      await pki.must(`${mount}/roles/any`, { ...configured, key_type: "any", use_pss: true });
      await pki.must(`${mount}/roles/anonymous`, { ...configured, require_cn: false });
      const issue = async (path: string, body: JsonObject): Promise<unknown> =>
        (await pki.must(`${mount}/${path}`, body)).certificate;
      expect(
        findings({
          issued: await issue("issue/good", { common_name: "a.example.com", alt_names: "*.b.example.com" }),
          "of an address": await issue("issue/good", {
            common_name: "a.example.com",
            ip_sans: "8.8.8.8,2600::1",
          }),
          "without a subject": await issue("issue/anonymous", { alt_names: "a.example.com" }),
          signed: await issue("sign/any", { csr: request() }),
          "signed as it is": await issue("sign-verbatim", {
            csr: request(
              ...["-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth"],
              ...["-addext", `certificatePolicies=${POLICY}`],
            ),
          }),
        }),
      ).toEqual({
        issued: sorted(signatureOf(type), OF_EVERY_LEAF, OF_A_COMMON_NAME),
        "of an address": sorted(signatureOf(type), OF_EVERY_LEAF, OF_A_COMMON_NAME),
        "without a subject": sorted(signatureOf(type), OF_EVERY_LEAF),
        signed: sorted(
          signatureOf(type).slice(1),
          OF_EVERY_LEAF,
          OF_A_COMMON_NAME,
          type === "rsa" ? OF_PSS : [],
        ),
        "signed as it is": sorted(signatureOf(type).slice(1), OF_EVERY_LEAF, OF_A_COMMON_NAME),
      });
    });

    test("in what Vault's defaults make", async () => {
      await pki.must(`${mount}/roles/default`, { ...RULES, key_type: type });
      const { certificate: leaf } = await pki.must(`${mount}/issue/default`, {
        common_name: "a.example.com",
      });
      const { certificate: verbatim } = await pki.must(`${mount}/sign-verbatim`, { csr: request() });
      const { certificate: ca } = await pki.must(`${mount}/root/sign-intermediate`, {
        csr: request(),
        common_name: "Issuing CA",
        organization: "Acme",
        country: "DE",
      });
      const ofUsages: Readonly<Record<string, readonly string[]>> = {
        rsa: ["error: e_rsa_allowed_ku_ee"],
        ec: OF_EC_DEFAULTS,
      };
      expect(findings({ leaf, verbatim, ca })).toEqual({
        leaf: sorted(signatureOf(type), OF_EVERY_LEAF, OF_A_COMMON_NAME, OF_NO_POLICY, ofUsages[type] ?? []),
        verbatim: sorted(
          ...[signatureOf(type).slice(1), OF_EVERY_LEAF, OF_A_COMMON_NAME, OF_NO_POLICY, OF_EC_DEFAULTS],
          ["error: e_sub_cert_eku_missing"],
        ),
        ca: sorted(signatureOf(type).slice(1), OF_CA_DEFAULTS),
      });
    });

    test("in CRLs, of which it has nothing to say", async () => {
      const crl = async (path: string): Promise<string> =>
        (await pki.raw(`${mount}/${path}`)).bytes.toString();
      const empty = await crl("crl/pem");
      await pki.must(`${mount}/roles/revoked`, { ...RULES, key_type: type });
      const { serial_number: serial } = await pki.must(`${mount}/issue/revoked`, {
        common_name: "r.example.com",
      });
      await pki.must(`${mount}/revoke`, { serial_number: String(serial) });
      const complete = await crl("crl/pem");
      const deltas = { auto_rebuild: true, enable_delta: true };
      await pki.must(`${mount}/config/urls`, {
        ...URLS,
        delta_crl_distribution_points: "http://ca.example.com/delta",
      });
      await pki.must(`${mount}/config/crl`, deltas);
      const { crl: signed } = await pki.must(`${mount}/issuer/default/sign-revocation-list`, {
        crl_number: 7,
        revoked_certs: [{ serial_number: "1a", revocation_time: "2026-01-01T00:00:00Z" }],
      });
      const { crl: resigned } = await pki.must(`${mount}/issuer/default/resign-crls`, {
        crl_number: 8,
        crls: [complete],
      });
      const lists = {
        empty,
        complete,
        "with a delta": await crl("crl/pem"),
        delta: await crl("crl/delta/pem"),
        signed,
        resigned,
      };
      expect(findings(lists)).toEqual(Object.fromEntries(Object.keys(lists).map((name) => [name, []])));
    });
  });

  test("and every reason that is given is one that is needed", () => {
    const used = sorted(OF_ED25519, OF_PSS, OF_EVERY_LEAF, OF_A_COMMON_NAME);
    expect(Object.keys(REASONS).sort()).toEqual(used);
    const ofDefaults = sorted(OF_NO_POLICY, OF_EC_DEFAULTS, OF_CA_DEFAULTS, [
      "error: e_rsa_allowed_ku_ee",
      "error: e_sub_cert_eku_missing",
    ]);
    expect(Object.keys(REASONS_OF_DEFAULTS).sort()).toEqual(ofDefaults);
  });
});
