/** A hash function by the name that requests give it. */
export interface HashAlgorithm {
  /** `sha2-256`. */
  readonly name: string;
  /** As node:crypto calls it. */
  readonly node: string;
  readonly bytes: number;
  /** What PKCS #1 puts before a digest (RFC 8017 section 9.2, notes; NIST's identifiers for SHA-3). */
  readonly digestInfo: Buffer;
}

const NIST_HASHES = "2.16.840.1.101.3.4.2";

/** SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING of `bytes` }, up to where the digest begins. */
function digestInfo(oid: Buffer, bytes: number): Buffer {
  const algorithm = Buffer.concat([Buffer.from([0x06, oid.length]), oid, Buffer.from([0x05, 0x00])]);
  const inner = Buffer.concat([Buffer.from([0x30, algorithm.length]), algorithm, Buffer.from([0x04, bytes])]);
  return Buffer.concat([Buffer.from([0x30, inner.length + bytes]), inner]);
}

/** The DER contents of {@link NIST_HASHES} with one more arc. */
function nistOid(arc: number): Buffer {
  const [first = 0, second = 0, ...rest] = NIST_HASHES.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest, arc];
  return Buffer.from(arcs.flatMap((value) => (value < 128 ? [value] : [0x80 | (value >> 7), value & 0x7f])));
}

function nist(name: string, node: string, bytes: number, arc: number): HashAlgorithm {
  return { name, node, bytes, digestInfo: digestInfo(nistOid(arc), bytes) };
}

/** 1.3.14.3.2.26. */
const SHA1_OID = Buffer.from([0x2b, 0x0e, 0x03, 0x02, 0x1a]);

const HASHES: ReadonlyMap<string, HashAlgorithm> = new Map(
  [
    { name: "sha1", node: "sha1", bytes: 20, digestInfo: digestInfo(SHA1_OID, 20) },
    nist("sha2-224", "sha224", 28, 4),
    nist("sha2-256", "sha256", 32, 1),
    nist("sha2-384", "sha384", 48, 2),
    nist("sha2-512", "sha512", 64, 3),
    nist("sha3-224", "sha3-224", 28, 7),
    nist("sha3-256", "sha3-256", 32, 8),
    nist("sha3-384", "sha3-384", 48, 9),
    nist("sha3-512", "sha3-512", 64, 10),
  ].map((hash) => [hash.name, hash]),
);

export const HASH_DEFAULT = "sha2-256";

export const HASH_NAMES: readonly string[] = [...HASHES.keys()];

/** Undefined: there is no such function here. */
export function findHash(name: string): HashAlgorithm | undefined {
  return HASHES.get(name);
}
