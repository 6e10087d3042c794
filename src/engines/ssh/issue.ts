import { badRequest, messageOf } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import { readAuthority } from "./authority.ts";
import { signCertificate } from "./certificate.ts";
import { principalsFor } from "./principals.ts";
import { fingerprint, type KeyKind, parsePublicKey, type SshPublicKey } from "./public-key.ts";
import { type CaRole, listOf } from "./role.ts";

/** What a certificate is asked for with. */
export interface SignRequest {
  readonly roleName: string;
  readonly role: CaRole;
  readonly displayName: string;
  readonly publicKey: SshPublicKey;
  /** 0: the role's. */
  readonly ttlSeconds: number;
  readonly principals: string;
  readonly type: string;
  readonly keyId: string;
  /** Undefined: the role's. */
  readonly criticalOptions: Readonly<Record<string, string>> | undefined;
  readonly extensions: Readonly<Record<string, string>> | undefined;
}

export interface Signed {
  /** Hex. */
  readonly serial: string;
  /** A line with a newline. */
  readonly signedKey: string;
}

/**
 * Signs a certificate, in Vault's order of checks.
 * @throws ApiError 400 with Vault's texts. @see reference: SSH, signing rules.
 */
export async function issueCertificate(context: MountContext, request: SignRequest): Promise<Signed> {
  const { role, publicKey } = request;
  const keyId = keyIdFor(request);
  const type = typeFor(role, request.type);
  const principals = principalsFor(role, type, request.principals);
  const ttlSeconds = ttlFor(context, role, request.ttlSeconds);
  const criticalOptions = criticalOptionsFor(role, request.criticalOptions);
  const extensions = extensionsFor(role, request.extensions);
  const authority = await readAuthority(context.storage);
  if (authority === null) throw badRequest("failed to read CA private key: keys haven't been configured yet");
  const serial = Buffer.from(context.random.bytes(8)).readBigUInt64BE();
  const now = Math.floor(context.clock.now() / 1000);
  const signer = role.algorithmSigner === "default" ? "rsa-sha2-256" : role.algorithmSigner;
  const signedKey = signCertificate(
    {
      publicKey,
      serial,
      type,
      keyId,
      principals,
      validAfter: now - role.notBeforeSeconds,
      validBefore: now + ttlSeconds,
      criticalOptions,
      extensions,
    },
    authority.privateKey,
    signer,
    context.random.bytes(32),
  );
  return { serial: serial.toString(16), signedKey };
}

function keyIdFor({ role, keyId, roleName, displayName, publicKey }: SignRequest): string {
  if (keyId !== "") {
    if (!role.allowUserKeyIds) throw badRequest("setting key_id is not allowed by role");
    return keyId;
  }
  const usual = `vault-${displayName === "" ? "" : "{{token_display_name}}-"}{{public_key_hash}}`;
  const parts: Readonly<Record<string, string>> = {
    token_display_name: displayName,
    role_name: roleName,
    public_key_hash: fingerprint(publicKey),
  };
  return (role.keyIdFormat || usual).replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
    Object.hasOwn(parts, name) ? (parts[name] ?? "") : whole,
  );
}

function typeFor(role: CaRole, asked: string): "user" | "host" {
  if (asked !== "user" && asked !== "host") throw badRequest("cert_type must be either 'user' or 'host'");
  const allowed = asked === "user" ? role.allowUserCertificates : role.allowHostCertificates;
  if (!allowed) throw badRequest(`cert_type '${asked}' is not allowed by role`);
  return asked;
}

/** One that was asked for is refused when it is too long; the role's own is cut. */
function ttlFor({ ttl }: MountContext, role: CaRole, asked: number): number {
  const max = Math.min(role.maxTtlSeconds || ttl.maxSeconds, ttl.maxSeconds);
  if (asked > max) throw badRequest(`ttl is larger than maximum allowed ${max}`);
  return asked || Math.min(role.ttlSeconds || ttl.defaultSeconds, max);
}

function criticalOptionsFor(role: CaRole, asked: SignRequest["criticalOptions"]) {
  if (asked === undefined || Object.keys(asked).length === 0) return role.defaultCriticalOptions;
  if (role.allowedCriticalOptions === "") return asked;
  const allowed = listOf(role.allowedCriticalOptions);
  const refused = Object.keys(asked).filter((name) => !allowed.includes(name));
  if (refused.length > 0) throw badRequest(`critical options not on allowed list: [${refused.join(" ")}]`);
  return asked;
}

function extensionsFor(role: CaRole, asked: SignRequest["extensions"]) {
  if (asked === undefined || Object.keys(asked).length === 0) return role.defaultExtensions;
  const allowed = listOf(role.allowedExtensions);
  if (allowed.includes("*")) return asked;
  const refused = Object.keys(asked).filter((name) => !allowed.includes(name));
  if (refused.length > 0) throw badRequest(`extensions [${refused.join(" ")}] are not on allowed list`);
  return asked;
}

/** Other names of the kinds of keys in a role's list of lengths. */
const KIND_NAMES: Readonly<Record<KeyKind, readonly string[]>> = {
  rsa: ["rsa", "ssh-rsa"],
  ec: ["ec", "ecdsa"],
  ed25519: ["ed25519", "ssh-ed25519"],
};

/** Reads the public key of a request. @throws ApiError 400 for one that is none, or that the role does not take. */
export function readPublicKey(role: CaRole, line: string): SshPublicKey {
  if (line === "") throw badRequest("missing public_key");
  let key: SshPublicKey;
  try {
    key = parsePublicKey(line);
  } catch (error) {
    throw badRequest(`failed to parse public_key as SSH key: ${messageOf(error)}`, error);
  }
  if (Object.keys(role.allowedUserKeyLengths).length === 0) return key;
  const failed = (why: string): Error => badRequest(`public_key failed to meet the key requirements: ${why}`);
  const sizes = sizesFor(role, key.kind, key.algorithm);
  if (sizes === null) throw failed(`key of type ${key.algorithm} is not allowed`);
  // Keys of a kind with one size have none to be asked for.
  if (key.kind !== "ed25519" && !sizes.includes(key.bits))
    throw failed(`key is of an invalid size: ${key.bits}`);
  return key;
}

/** The bits that a role allows for keys of a kind. Null: it does not allow such keys. */
export function sizesFor(role: CaRole, kind: KeyKind, algorithm = ""): readonly number[] | null {
  const names = [...KIND_NAMES[kind], algorithm];
  const fitting = Object.entries(role.allowedUserKeyLengths).filter(([name]) => names.includes(name));
  return fitting.length === 0 ? null : fitting.flatMap(([, bits]) => bits);
}
