import { afterAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { zlintMissing } from "../../servers/zlint.ts";
import { PkiWorld, YEARS_SECONDS } from "./world.ts";

/** What the rules of browsers have against a kind of key as such, however well it is written down. */
const OF_THE_KIND: Readonly<Record<string, readonly string[]>> = {
  rsa: [],
  ec: [],
  ed25519: ["e_algorithm_identifier_improper_encoding", "e_signature_algorithm_not_supported"],
};

const missing = zlintMissing();
const skipped = missing === undefined ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`zlint finds no error${skipped}`, async () => {
  const pki = await PkiWorld.create();
  afterAll(() => pki.remove());

  function errorsIn(certificate: unknown): string[] {
    const verdicts = JSON.parse(pki.zlint(pki.file(String(certificate)))) as Record<
      string,
      { result: string }
    >;
    return Object.entries(verdicts)
      .filter(([, { result }]) => result === "error" || result === "fatal")
      .map(([name]) => name)
      .sort();
  }

  test.each(Object.keys(OF_THE_KIND))(
    "in a root, an intermediate and a certificate of type %s",
    async (type) => {
      await pki.mount(type);
      await pki.must(`${type}/config/urls`, {
        issuing_certificates: "http://ca.example.com/ca",
        crl_distribution_points: "http://ca.example.com/crl",
        ocsp_servers: "http://ca.example.com/ocsp",
      });
      const subject: JsonObject = { organization: "Acme", country: "DE", key_type: type };
      const root = await pki.must(`${type}/root/generate/internal`, {
        ...subject,
        common_name: "Root of Acme",
        ttl: YEARS_SECONDS,
      });
      const { csr } = await pki.must(`${type}/intermediate/generate/internal`, {
        ...subject,
        common_name: "Sub",
      });
      const { certificate: intermediate } = await pki.must(`${type}/root/sign-intermediate`, {
        csr: String(csr),
        ...subject,
        common_name: "Issuing CA of Acme",
        ttl: "43800h",
        max_path_length: 0,
        ext_key_usage: "ServerAuth",
      });
      await pki.must(`${type}/roles/r`, {
        allowed_domains: "example.com",
        allow_subdomains: true,
        key_type: type,
        key_usage: "DigitalSignature",
        policy_identifiers: "2.23.140.1.2.1",
        basic_constraints_valid_for_non_ca: true,
        ttl: "24h",
      });
      const leaf = await pki.must(`${type}/issue/r`, {
        common_name: "a.example.com",
        alt_names: "*.b.example.com",
      });
      expect(errorsIn(root.certificate)).toEqual([...(OF_THE_KIND[type] ?? [])]);
      // That an intermediate states no policy is its owner's choice.
      const ofPolicy = ["e_sub_ca_certificate_policies_missing"];
      expect(errorsIn(intermediate)).toEqual([...(OF_THE_KIND[type] ?? []), ...ofPolicy].sort());
      expect(errorsIn(leaf.certificate)).toEqual([...(OF_THE_KIND[type] ?? [])]);
    },
  );
});
