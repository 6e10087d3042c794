import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { blobOf, type SshPublicKey } from "./public-key.ts";
import { SshReader, sshInteger, sshString, sshUint32, sshUint64 } from "./wire.ts";

/** What a certificate says. */
export interface CertificateContents {
  readonly publicKey: SshPublicKey;
  readonly serial: bigint;
  readonly type: "user" | "host";
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since the epoch. */
  readonly validAfter: number;
  readonly validBefore: number;
  readonly criticalOptions: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, string>>;
}

/** How an RSA key signs (RFC 8332). Other keys have one way each. */
export type RsaSigner = "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512";

const TYPES = { user: 1, host: 2 } as const;

/**
 * A certificate as a line of a `-cert.pub` file, with a newline.
 * @param nonce - 32 random bytes.
 * @see OpenSSH's PROTOCOL.certkeys
 */
export function signCertificate(
  contents: CertificateContents,
  authority: KeyObject,
  rsaSigner: RsaSigner,
  nonce: Uint8Array,
): string {
  const { publicKey } = contents;
  const algorithm = certificateAlgorithm(publicKey.algorithm);
  const key = new SshReader(publicKey.blob);
  key.string();
  const body = Buffer.concat([
    sshString(algorithm),
    sshString(nonce),
    key.rest(),
    sshUint64(contents.serial),
    sshUint32(TYPES[contents.type]),
    sshString(contents.keyId),
    sshString(Buffer.concat(contents.principals.map(sshString))),
    sshUint64(BigInt(contents.validAfter)),
    sshUint64(BigInt(contents.validBefore)),
    sshString(options(contents.criticalOptions)),
    sshString(options(contents.extensions)),
    sshString(""),
    sshString(blobOf(createPublicKey(authority))),
  ]);
  const whole = Buffer.concat([body, sshString(signature(authority, rsaSigner, body))]);
  return `${algorithm} ${whole.toString("base64")}\n`;
}

function certificateAlgorithm(algorithm: string): string {
  const at = algorithm.indexOf("@");
  return `${at === -1 ? algorithm : algorithm.slice(0, at)}-cert-v01@openssh.com`;
}

/** Names in order, each with its value in a string of its own; a name without a value has an empty one. */
function options(values: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(values).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Buffer.concat(
    names.flatMap((name) => {
      const value = values[name] ?? "";
      return [sshString(name), sshString(value === "" ? "" : sshString(value))];
    }),
  );
}

const RSA_HASHES = { "ssh-rsa": "sha1", "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" } as const;
/** RFC 5656 section 6.2.1. */
const CURVE_HASHES: Readonly<Record<string, string>> = {
  prime256v1: "sha256",
  secp384r1: "sha384",
  secp521r1: "sha512",
};

function signature(key: KeyObject, rsaSigner: RsaSigner, data: Buffer): Buffer {
  if (key.asymmetricKeyType === "rsa") {
    return Buffer.concat([sshString(rsaSigner), sshString(sign(RSA_HASHES[rsaSigner], data, key))]);
  }
  const algorithm = new SshReader(blobOf(createPublicKey(key))).text();
  if (key.asymmetricKeyType === "ed25519") {
    return Buffer.concat([sshString(algorithm), sshString(sign(null, data, key))]);
  }
  const hash = CURVE_HASHES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (hash === undefined) throw new TypeError("not a key that signs certificates");
  const both = sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  const half = both.length / 2;
  const numbers = Buffer.concat([sshInteger(both.subarray(0, half)), sshInteger(both.subarray(half))]);
  return Buffer.concat([sshString(algorithm), sshString(numbers)]);
}
