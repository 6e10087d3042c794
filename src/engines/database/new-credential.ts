import { promisify } from "node:util";
import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import { generatePassword } from "../../framework/password.ts";
import type { CredentialConfig } from "./credential-type.ts";
import type { DatabasePluginType } from "./plugin.ts";

/**
 * Makes a password by the first policy that is named, else by the default rules.
 * @param policies - A role's, then its connection's; "" for none.
 * @throws BACKEND when there is no policy of that name.
 */
export async function newPassword(
  { random, passwords }: Pick<MountContext, "random" | "passwords">,
  ...policies: readonly string[]
): Promise<string> {
  const policy = policies.find((name) => name !== "");
  return policy === undefined ? generatePassword(random) : passwords.generate(policy);
}

/** What a new user proves itself with. */
export interface NewCredential {
  /** What the caller is shown of it. */
  readonly shown: JsonObject;
  /** "" where the user has another kind of credential. */
  readonly password: string;
  /** Of a key pair: SubjectPublicKeyInfo in PEM (RFC 5280 section 4.1, RFC 7468); absent where there is none. */
  readonly publicKey?: string;
}

/**
 * Makes a credential of a role's type.
 * @throws ApiError 400 `unsupported credential_type: …` for a type that the kind of database does not have.
 * @see reference: database engine, credential_config.
 */
export async function newCredential(
  context: Pick<MountContext, "random" | "passwords">,
  { credentialTypes = ["password"] }: Pick<DatabasePluginType, "credentialTypes">,
  role: { readonly credentialType: string; readonly credentialConfig: CredentialConfig },
  connectionPolicy: string,
): Promise<NewCredential> {
  const { credentialType, credentialConfig } = role;
  const type = credentialTypes.find((candidate) => candidate === credentialType);
  if (type === undefined) throw badRequest(`unsupported credential_type: "${credentialType}"`);
  if (type === "rsa_private_key") return newKeyPair(Number(credentialConfig.key_bits ?? KEY_BITS_DEFAULT));
  const password = await newPassword(context, credentialConfig.password_policy ?? "", connectionPolicy);
  return { shown: { password }, password };
}

const KEY_BITS_DEFAULT = 2048;

async function newKeyPair(modulusLength: number): Promise<NewCredential> {
  const { generateKeyPair } = await import("node:crypto");
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { shown: { rsa_private_key: privateKey }, password: "", publicKey };
}
