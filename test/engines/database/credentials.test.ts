import { afterAll, describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { badRequest } from "../../../src/base/errors.ts";
import { type CredentialConfig, checkCredential } from "../../../src/engines/database/credential-type.ts";
import { newCredential } from "../../../src/engines/database/new-credential.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { CoreWorld, dataOf } from "../../core/world.ts";
import { CertificateAuthority } from "../../servers/certificates.ts";

const context = {
  random: systemRandom,
  passwords: { generate: async (policy: string) => `by-${policy}` },
};
const withKeys = { credentialTypes: ["password", "rsa_private_key"] } as const;

describe("a credential", () => {
  test("is a password by the policy of the role, else of the connection, else by the default rules", async () => {
    const make = (config: CredentialConfig, policy: string) =>
      newCredential(context, {}, { credentialType: "password", credentialConfig: config }, policy);
    expect((await make({ password_policy: "own" }, "shared")).password).toBe("by-own");
    expect((await make({}, "shared")).password).toBe("by-shared");
    const { password, shown } = await make({}, "");
    expect(password).toMatch(/^[A-Za-z0-9-]{20}$/);
    expect(shown).toEqual({ password });
  });

  test.each([
    ["2048", {}],
    ["3072", { key_bits: "3072", format: "pkcs8" }],
  ])("is an RSA key of %s bits, whose public half the database gets", async (bits, credentialConfig) => {
    const role = { credentialType: "rsa_private_key", credentialConfig };
    const { shown, password, publicKey = "" } = await newCredential(context, withKeys, role, "");
    expect(password).toBe("");
    const key = createPrivateKey(String(shown.rsa_private_key));
    expect(shown.rsa_private_key).toStartWith("-----BEGIN PRIVATE KEY-----");
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(Number(bits));
    const half = createPublicKey(key).export({ type: "spki", format: "pem" });
    expect(publicKey).toBe(String(half));
  });

  test("of a type that the database does not have is refused", async () => {
    const role = { credentialType: "rsa_private_key", credentialConfig: {} };
    await expect(newCredential(context, {}, role, "")).rejects.toThrow(
      badRequest('unsupported credential_type: "rsa_private_key"'),
    );
    const certificate = { ...role, credentialType: "client_certificate" };
    await expect(newCredential(context, withKeys, certificate, "")).rejects.toThrow(
      badRequest('unsupported credential_type: "client_certificate"'),
    );
  });
});

describe("a credential_config", () => {
  const directory = mkdtempSync(join(tmpdir(), "vsec-credentials-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const authority = new CertificateAuthority(directory);
  const leaf = authority.issue("leaf", "");
  const good = {
    common_name_template: "{{.RoleName}}",
    ca_cert: authority.cert,
    ca_private_key: leaf.key,
    key_type: "ec",
  };

  test("is shown without the key of its authority", async () => {
    const world = await CoreWorld.create();
    await world.put("sys/mounts/database", { type: "database" });
    const role = { db_name: "pg", credential_type: "client_certificate", credential_config: good };
    expect((await world.put("database/roles/app", role)).status).toBe(204);
    const { ca_private_key: _key, ...shown } = good;
    expect(dataOf(await world.get("database/roles/app")).credential_config).toEqual(shown);
    // And kept where something else is changed.
    expect((await world.put("database/roles/app", { default_ttl: "1h" })).status).toBe(204);
    await world.core.close();
  });

  test.each<[string, CredentialConfig]>([
    ["password", {}],
    ["password", { password_policy: "any" }],
    ["rsa_private_key", { format: "pkcs8", key_bits: "4096" }],
    ["client_certificate", good],
    ["client_certificate", { ...good, key_bits: "521", signature_bits: "512" }],
  ])("of type %s is taken", (type, config) => {
    expect(checkCredential(type, config)).toBe(type as never);
  });

  test.each<[string, CredentialConfig, string]>([
    ["password", { key_bits: "2048" }, 'unknown key "key_bits"'],
    ["rsa_private_key", { format: "pkcs1" }, "invalid format: pkcs1"],
    ["rsa_private_key", { key_bits: "1024" }, "invalid key_bits: 1024"],
    ["client_certificate", {}, "missing required common_name_template"],
    ["client_certificate", { ...good, ca_cert: "" }, "missing required ca_cert"],
    ["client_certificate", { ...good, ca_private_key: "" }, "missing required ca_private_key"],
    ["client_certificate", { ...good, key_type: "" }, "invalid key_type"],
    ["client_certificate", { ...good, key_type: "dsa" }, "invalid key_type: dsa"],
    ["client_certificate", { ...good, key_bits: "2048" }, "invalid key_bits: 2048"],
    ["client_certificate", { ...good, signature_bits: "1" }, "invalid signature_bits: 1"],
    ["client_certificate", { ...good, ca_cert: leaf.cert }, "the given certificate is not marked for CA use"],
    ["client_certificate", { ...good, ca_private_key: "x" }, "ca_private_key is not a private key"],
  ])("of type %s is refused: %j", (type, config, reason) => {
    const text = `credential_config validation failed: ${reason}`;
    expect(() => checkCredential(type, config)).toThrow(badRequest(text));
  });
});
