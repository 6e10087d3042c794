import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { SshReader, sshInteger, sshString } from "./wire.ts";

/** What is asked of a key's kind and size. */
export type KeyKind = "rsa" | "ec" | "ed25519";

/** A public key of a user or a host. */
export interface SshPublicKey {
  /** `ssh-ed25519`. */
  readonly algorithm: string;
  readonly kind: KeyKind;
  /** Bits of an RSA modulus or of a curve. */
  readonly bits: number;
  /** The whole key in the protocol's form. */
  readonly blob: Buffer;
}

/** The algorithms of RFC 4253, RFC 5656, RFC 8709, and OpenSSH's keys on security tokens. */
const CURVES: Readonly<Record<string, readonly [name: string, bits: number]>> = {
  "ecdsa-sha2-nistp256": ["nistp256", 256],
  "ecdsa-sha2-nistp384": ["nistp384", 384],
  "ecdsa-sha2-nistp521": ["nistp521", 521],
  "sk-ecdsa-sha2-nistp256@openssh.com": ["nistp256", 256],
};
const ED25519: ReadonlySet<string> = new Set(["ssh-ed25519", "sk-ssh-ed25519@openssh.com"]);
const ED25519_BYTES = 32;
const LINE_CHARS_MAX = 20_000;

/**
 * Reads a line of an authorized_keys or `.pub` file.
 * @throws SyntaxError for anything else, and for keys of kinds that no certificate is given to.
 */
export function parsePublicKey(line: string): SshPublicKey {
  const [algorithm = "", encoded = ""] = line.trim().split(/[ \t]+/);
  if (line.length > LINE_CHARS_MAX || line.trim().includes("\n") || encoded === "") {
    throw new SyntaxError("ssh: no key found");
  }
  const blob = Buffer.from(encoded, "base64");
  if (blob.length === 0 || blob.toString("base64") !== encoded) throw new SyntaxError("ssh: no key found");
  const reader = new SshReader(blob);
  if (reader.text() !== algorithm) throw new SyntaxError("ssh: key type mismatch");
  const [kind, bits] = readParameters(algorithm, reader);
  if (!reader.isAtEnd) throw new SyntaxError("ssh: trailing data after the key");
  return { algorithm, kind, bits, blob };
}

function readParameters(algorithm: string, reader: SshReader): readonly [KeyKind, number] {
  if (algorithm === "ssh-rsa") {
    const exponent = reader.integer();
    const modulus = reader.integer();
    if (exponent.length === 0 || modulus.length === 0) throw new SyntaxError("ssh: malformed RSA key");
    return ["rsa", modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24];
  }
  const curve = Object.hasOwn(CURVES, algorithm) ? CURVES[algorithm] : undefined;
  if (curve !== undefined) {
    const [name, bits] = curve;
    const isOther = reader.text() !== name;
    const point = reader.string();
    if (isOther || point[0] !== 0x04 || point.length !== 1 + 2 * Math.ceil(bits / 8)) {
      throw new SyntaxError("ssh: malformed ECDSA key");
    }
    readApplication(algorithm, reader);
    return ["ec", bits];
  }
  if (ED25519.has(algorithm)) {
    if (reader.string().length !== ED25519_BYTES) throw new SyntaxError("ssh: malformed Ed25519 key");
    readApplication(algorithm, reader);
    return ["ed25519", 256];
  }
  throw new SyntaxError(`ssh: unknown key algorithm: ${algorithm.slice(0, 60)}`);
}

/** Keys on security tokens name what they are for. */
function readApplication(algorithm: string, reader: SshReader): void {
  if (algorithm.startsWith("sk-")) reader.string();
}

/** The hex SHA-256 of a key, as key ids show it. */
export function fingerprint({ blob }: SshPublicKey): string {
  return createHash("sha256").update(blob).digest("hex");
}

/** The protocol's form of a public key of node:crypto. */
export function blobOf(key: KeyObject): Buffer {
  const jwk = key.export({ format: "jwk" });
  const part = (name: "n" | "e" | "x" | "y"): Buffer => Buffer.from(jwk[name] ?? "", "base64url");
  if (key.asymmetricKeyType === "rsa") {
    return Buffer.concat([sshString("ssh-rsa"), sshInteger(part("e")), sshInteger(part("n"))]);
  }
  if (key.asymmetricKeyType === "ed25519") {
    return Buffer.concat([sshString("ssh-ed25519"), sshString(part("x"))]);
  }
  const curve = `nistp${(jwk.crv ?? "").slice(2)}`;
  const point = Buffer.concat([Buffer.from([0x04]), part("x"), part("y")]);
  return Buffer.concat([sshString(`ecdsa-sha2-${curve}`), sshString(curve), sshString(point)]);
}

/** The line of an authorized_keys file, with a newline. */
export function publicKeyLine(privateKey: KeyObject): string {
  const blob = blobOf(createPublicKey(privateKey));
  return `${new SshReader(blob).text()} ${blob.toString("base64")}\n`;
}
