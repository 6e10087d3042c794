import { createPrivateKey, X509Certificate } from "node:crypto";
import { badRequest, messageOf } from "../../base/errors.ts";

/** The kinds of credential that a role can ask for. Which of them a database has is its plugin's to say. */
export const CREDENTIAL_TYPES = ["password", "rsa_private_key", "client_certificate"] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

/** The settings of a credential type, as given. */
export type CredentialConfig = Readonly<Record<string, string>>;

/** Checks of a setting; each throws a SyntaxError with Vault's text. */
type Checks = Readonly<Record<string, (value: string, config: CredentialConfig) => void>>;

const SETTINGS: Readonly<Record<CredentialType, Checks>> = {
  password: { password_policy: () => undefined },
  rsa_private_key: {
    format: (value) => oneOf(["", "pkcs8"], value, "invalid format"),
    key_bits: (value) => oneOf(["2048", "3072", "4096"], value, "invalid key_bits"),
  },
  client_certificate: {
    common_name_template: () => undefined,
    ca_cert: checkAuthority,
    ca_private_key: checkPrivateKey,
    key_type: (value) => oneOf(Object.keys(KEY_BITS), value, "invalid key_type"),
    key_bits: (value, { key_type: type = "" }) => oneOf(KEY_BITS[type] ?? [], value, "invalid key_bits"),
    signature_bits: (value) => oneOf(["256", "384", "512"], value, "invalid signature_bits"),
  },
};

const REQUIRED: Readonly<Record<CredentialType, readonly string[]>> = {
  password: [],
  rsa_private_key: [],
  client_certificate: ["common_name_template", "ca_cert", "ca_private_key", "key_type"],
};

const KEY_BITS: Readonly<Record<string, readonly string[]>> = {
  rsa: ["2048", "3072", "4096"],
  ec: ["224", "256", "384", "521"],
  ed25519: ["", "0"],
};

/**
 * Reads a role's credential type and checks its settings.
 * @throws ApiError 400 with Vault's texts.
 * @see reference: database engine, credential_config.
 */
export function checkCredential(type: string, config: CredentialConfig): CredentialType {
  const known = CREDENTIAL_TYPES.find((candidate) => candidate === type);
  if (known === undefined) throw badRequest(`invalid credential_type "${type}"`);
  try {
    checkSettings(known, config);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`credential_config validation failed: ${error.message}`, error);
  }
  return known;
}

function checkSettings(type: CredentialType, config: CredentialConfig): void {
  const checks = SETTINGS[type];
  const missing = REQUIRED[type].find((name) => (config[name] ?? "") === "");
  if (missing === "key_type") throw new SyntaxError("invalid key_type");
  if (missing !== undefined) throw new SyntaxError(`missing required ${missing}`);
  for (const [name, value] of Object.entries(config)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) throw new SyntaxError(`unknown key "${name}"`);
    check(value, config);
  }
}

function oneOf(allowed: readonly string[], value: string, refusal: string): void {
  if (!allowed.includes(value)) throw new SyntaxError(`${refusal}: ${value}`);
}

function checkAuthority(value: string): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(value);
  } catch (error) {
    throw new SyntaxError(`ca_cert is not a certificate: ${messageOf(error)}`);
  }
  if (!certificate.ca) throw new SyntaxError("the given certificate is not marked for CA use");
}

/** The error of the library is not quoted: it could hold a piece of the key. */
function checkPrivateKey(value: string): void {
  try {
    createPrivateKey(value);
  } catch {
    throw new SyntaxError("ca_private_key is not a private key");
  }
}
