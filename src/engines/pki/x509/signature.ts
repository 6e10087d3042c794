import { constants, type KeyObject, sign, verify } from "node:crypto";
import {
  type Asn1,
  isTagged,
  nothing,
  oid,
  oidOf,
  partsOf,
  sequence,
  sequenceParts,
  smallInteger,
  tagged,
} from "./asn1.ts";
import { kindOf } from "./keys.ts";
import { OID } from "./oids.ts";

/** Signs the bytes of a certificate, a request, a CRL or an answer, and names how (RFC 5280 section 4.1.1.2). */
export interface Signer {
  /** An AlgorithmIdentifier. */
  readonly algorithm: Asn1;
  sign(bytes: Uint8Array): Buffer;
}

export interface SignatureOptions {
  /** The hash's bits: 256, 384, 512; 0: 256 for RSA. A curve has its own. Ignored for ed25519. */
  readonly hashBits?: number;
  /** RSASSA-PSS instead of PKCS#1 v1.5. Only for RSA. */
  readonly usePss?: boolean;
}

type Hash = "sha1" | "sha256" | "sha384" | "sha512";

const RSA_OIDS = { sha256: OID.sha256WithRsa, sha384: OID.sha384WithRsa, sha512: OID.sha512WithRsa } as const;
const ECDSA_OIDS = {
  sha256: OID.ecdsaWithSha256,
  sha384: OID.ecdsaWithSha384,
  sha512: OID.ecdsaWithSha512,
} as const;

/** The signer that a key makes. @param key - A private key of a kind that is known here. */
export function signerFor(key: KeyObject, options: SignatureOptions = {}): Signer {
  const kind = kindOf(key);
  if (kind === null) throw new TypeError("a key of a kind that cannot sign");
  if (kind.type === "ed25519") {
    return { algorithm: sequence(oid(OID.ed25519)), sign: (bytes) => sign(null, bytes, key) };
  }
  if (kind.type === "ec") {
    const hash = kind.bits <= 256 ? "sha256" : kind.bits === 384 ? "sha384" : "sha512";
    return {
      algorithm: sequence(oid(ECDSA_OIDS[hash])),
      sign: (bytes) => sign(hash, bytes, { key, dsaEncoding: "der" }),
    };
  }
  return rsaSigner(key, hashOf(options.hashBits ?? 0), options.usePss === true);
}

function hashOf(bits: number): "sha256" | "sha384" | "sha512" {
  if (bits === 384) return "sha384";
  return bits === 512 ? "sha512" : "sha256";
}

function rsaSigner(key: KeyObject, hash: "sha256" | "sha384" | "sha512", usePss: boolean): Signer {
  if (!usePss) {
    return { algorithm: sequence(oid(RSA_OIDS[hash]), nothing()), sign: (bytes) => sign(hash, bytes, key) };
  }
  const saltLength = Number(hash.slice(3)) / 8;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return {
    algorithm: pssAlgorithm(hash, saltLength),
    sign: (bytes) => sign(hash, bytes, { key, padding, saltLength }),
  };
}

/** RSASSA-PSS-params (RFC 4055 section 3.1). */
function pssAlgorithm(hash: "sha256" | "sha384" | "sha512", saltLength: number): Asn1 {
  const hashAlgorithm = sequence(oid(OID[hash]), nothing());
  return sequence(
    oid(OID.rsaPss),
    sequence(
      tagged(0, hashAlgorithm),
      tagged(1, sequence(oid(OID.mgf1), hashAlgorithm)),
      tagged(2, smallInteger(saltLength)),
    ),
  );
}

/** Signatures that are taken. SHA-1 only where the caller says so: old roots signed themselves with it. */
const KNOWN: ReadonlyMap<string, { readonly hash: Hash | null; readonly type: string }> = new Map([
  [OID.sha1WithRsa, { hash: "sha1", type: "rsa" }],
  [OID.sha256WithRsa, { hash: "sha256", type: "rsa" }],
  [OID.sha384WithRsa, { hash: "sha384", type: "rsa" }],
  [OID.sha512WithRsa, { hash: "sha512", type: "rsa" }],
  [OID.ecdsaWithSha1, { hash: "sha1", type: "ec" }],
  [OID.ecdsaWithSha256, { hash: "sha256", type: "ec" }],
  [OID.ecdsaWithSha384, { hash: "sha384", type: "ec" }],
  [OID.ecdsaWithSha512, { hash: "sha512", type: "ec" }],
  [OID.ed25519, { hash: null, type: "ed25519" }],
]);

/** Something that is signed, taken apart. */
export interface Signed {
  /** The bytes that the signature is over. */
  readonly tbs: Buffer;
  /** An AlgorithmIdentifier. */
  readonly algorithm: Asn1;
  readonly signature: Buffer;
}

/** Whether a signature is good, by an algorithm that is known here. */
export function isSignedBy(
  { tbs, algorithm, signature }: Signed,
  key: KeyObject,
  { allowSha1 = false }: { readonly allowSha1?: boolean } = {},
): boolean {
  try {
    const [type, parameters] = sequenceParts(algorithm, "signature algorithm");
    const name = oidOf(type, "signature algorithm");
    if (name === OID.rsaPss) {
      const hash = pssHash(parameters);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
      return (
        key.asymmetricKeyType === "rsa" &&
        hash !== null &&
        verify(hash, tbs, { key, padding, saltLength }, signature)
      );
    }
    const known = KNOWN.get(name);
    if (known === undefined || known.type !== key.asymmetricKeyType) return false;
    if (known.hash === "sha1" && !allowSha1) return false;
    return verify(known.hash, tbs, known.type === "ec" ? { key, dsaEncoding: "der" } : key, signature);
  } catch {
    // A signature that cannot be one of this key's is not a good one.
    return false;
  }
}

function pssHash(parameters: Asn1 | undefined): Hash | null {
  const [first] = sequenceParts(parameters, "signature algorithm").filter((part) => isTagged(part, 0));
  const [algorithm] = partsOf(first, "signature algorithm");
  const name = oidOf(sequenceParts(algorithm, "signature algorithm")[0], "signature algorithm");
  return (["sha256", "sha384", "sha512"] as const).find((hash) => OID[hash] === name) ?? null;
}

/** The name of a signature's algorithm, as a dotted OID. */
export function algorithmOid(algorithm: Asn1): string {
  return oidOf(sequenceParts(algorithm, "signature algorithm")[0], "signature algorithm");
}
