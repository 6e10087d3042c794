import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { blobOf, type KeyKind } from "./public-key.ts";
import { SshReader, sshString, sshUint32 } from "./wire.ts";

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ privateKey: KeyObject }>;

const RSA_BITS: ReadonlySet<number> = new Set([2048, 3072, 4096]);
const RSA_BITS_DEFAULT = 4096;
const CURVE_BITS: ReadonlySet<number> = new Set([256, 384, 521]);

/** Names of kinds of keys, with the bits that some of them stand for. */
const KINDS: Readonly<Record<string, readonly [KeyKind, bits: number]>> = {
  "ssh-rsa": ["rsa", 0],
  rsa: ["rsa", 0],
  "ecdsa-sha2-nistp256": ["ec", 256],
  "ecdsa-sha2-nistp384": ["ec", 384],
  "ecdsa-sha2-nistp521": ["ec", 521],
  ecdsa: ["ec", 0],
  ec: ["ec", 0],
  "ssh-ed25519": ["ed25519", 0],
  ed25519: ["ed25519", 0],
};

/** A kind and size of keys that can be made. */
export interface KeyWish {
  readonly kind: KeyKind;
  readonly bits: number;
}

/** @param bits - 0: the kind's usual size. @throws SyntaxError for what is not offered. */
export function readKeyWish(name: string, bits: number): KeyWish {
  const found = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (found === undefined) throw new SyntaxError(`unknown ssh key pair type: ${name}`);
  const [kind, own] = found;
  if (kind === "ed25519") return { kind, bits: 0 };
  const wanted = bits || own || (kind === "rsa" ? RSA_BITS_DEFAULT : 256);
  const isOffered = kind === "rsa" ? RSA_BITS.has(wanted) : CURVE_BITS.has(wanted);
  if (!isOffered || (own !== 0 && own !== wanted)) {
    throw new SyntaxError(`invalid ssh key pair size for ${name}: ${bits}`);
  }
  return { kind, bits: wanted };
}

export async function newPrivateKey({ kind, bits }: KeyWish): Promise<KeyObject> {
  if (kind === "rsa") return (await generate("rsa", { modulusLength: bits })).privateKey;
  if (kind === "ec") return (await generate("ec", { namedCurve: `P-${bits}` })).privateKey;
  return (await generate("ed25519", {})).privateKey;
}

const MAGIC = "openssh-key-v1\0";
const ARMOUR = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;

/** A private key in the form that OpenSSH reads: PEM of PKCS #1 or SEC 1, or for Ed25519 its own. */
export function privateKeyText(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return key.export({ format: "pem", type: "pkcs1" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ format: "pem", type: "sec1" }).toString();
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const publicBytes = Buffer.from(x, "base64url");
  const secret = Buffer.concat([Buffer.from(d, "base64url"), publicBytes]);
  // The two check numbers tell whether a decryption went well; nothing is encrypted here.
  const body = Buffer.concat([
    sshUint32(0),
    sshUint32(0),
    sshString("ssh-ed25519"),
    sshString(publicBytes),
    sshString(secret),
    sshString(""),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from(MAGIC),
    sshString("none"),
    sshString("none"),
    sshString(""),
    sshUint32(1),
    sshString(blobOf(createPublicKey(key))),
    sshString(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString("base64").replace(/.{70}(?=.)/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/**
 * Reads a private key in PEM, or in OpenSSH's own form (its file PROTOCOL.key), without a passphrase.
 * @throws SyntaxError, whose text shows nothing of the key.
 */
export function parsePrivateKey(text: string): KeyObject {
  const armoured = ARMOUR.exec(text);
  let key: KeyObject;
  try {
    key = armoured === null ? createPrivateKey(text) : parseOpenSsh(Buffer.from(armoured[1] ?? "", "base64"));
  } catch {
    // The cause could show parts of the key.
    throw new SyntaxError("it is no private key in PEM or in OpenSSH's form, or has a passphrase");
  }
  const kind = key.asymmetricKeyType ?? "";
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const isKnown =
    kind === "rsa" || kind === "ed25519" || (kind === "ec" && /^(prime256v1|secp(384|521)r1)$/.test(curve));
  if (!isKnown) throw new SyntaxError(`keys of type ${kind} ${curve} are not supported`);
  return key;
}

function parseOpenSsh(file: Buffer): KeyObject {
  if (file.subarray(0, MAGIC.length).toString("latin1") !== MAGIC) throw new SyntaxError("no magic");
  const reader = new SshReader(file.subarray(MAGIC.length));
  const [cipher] = [reader.text(), reader.text(), reader.string()];
  if (cipher !== "none" || reader.uint32() !== 1) throw new SyntaxError("encrypted, or several keys");
  reader.string();
  const body = new SshReader(reader.string());
  const check = body.uint32();
  if (check !== body.uint32()) throw new SyntaxError("damaged");
  const algorithm = body.text();
  const jwk =
    algorithm === "ssh-rsa"
      ? readRsa(body)
      : algorithm === "ssh-ed25519"
        ? readEd25519(body)
        : readEcdsa(body);
  return createPrivateKey({ key: jwk, format: "jwk" });
}

const url = (bytes: Buffer): string => bytes.toString("base64url");

function readEd25519(body: SshReader) {
  const x = body.string();
  return { kty: "OKP", crv: "Ed25519", x: url(x), d: url(body.string().subarray(0, 32)) };
}

function readEcdsa(body: SshReader) {
  const bits = body.text().replace("nistp", "");
  const bytes = Math.ceil(Number(bits) / 8);
  const point = body.string();
  const d = body.integer();
  return {
    kty: "EC",
    crv: `P-${bits}`,
    x: url(point.subarray(1, 1 + bytes)),
    y: url(point.subarray(1 + bytes)),
    d: url(Buffer.concat([Buffer.alloc(bytes - d.length), d])),
  };
}

function readRsa(body: SshReader) {
  const [n, e, d, qi, p, q] = [
    body.integer(),
    body.integer(),
    body.integer(),
    body.integer(),
    body.integer(),
    body.integer(),
  ];
  const exponent = BigInt(`0x${d.toString("hex")}`);
  const modulo = (prime: Buffer): string => {
    const hex = (exponent % (BigInt(`0x${prime.toString("hex")}`) - 1n)).toString(16);
    return url(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
  };
  return {
    kty: "RSA",
    n: url(n),
    e: url(e),
    d: url(d),
    p: url(p),
    q: url(q),
    dp: modulo(p),
    dq: modulo(q),
    qi: url(qi),
  };
}
