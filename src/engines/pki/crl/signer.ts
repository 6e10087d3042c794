import { badRequest } from "../../../base/errors.ts";
import type { SigningIssuer } from "../issuers/signing.ts";
import type { KeyType } from "../x509/keys.ts";
import { kindOf } from "../x509/keys.ts";
import { type SignatureOptions, type Signer, signerFor } from "../x509/signature.ts";

/** Go's names of the signatures that an issuer may be told to use for CRLs and OCSP answers. */
const ALGORITHMS: ReadonlyMap<string, SignatureOptions & { readonly type: KeyType }> = new Map([
  ["sha256withrsa", { type: "rsa", hashBits: 256 }],
  ["sha384withrsa", { type: "rsa", hashBits: 384 }],
  ["sha512withrsa", { type: "rsa", hashBits: 512 }],
  ["sha256withrsapss", { type: "rsa", hashBits: 256, usePss: true }],
  ["sha384withrsapss", { type: "rsa", hashBits: 384, usePss: true }],
  ["sha512withrsapss", { type: "rsa", hashBits: 512, usePss: true }],
  ["ecdsawithsha256", { type: "ec" }],
  ["ecdsawithsha384", { type: "ec" }],
  ["ecdsawithsha512", { type: "ec" }],
  ["ed25519", { type: "ed25519" }],
]);

/** The options that a name asks for. Empty: as the key has it. @throws ApiError 400 for an unknown one, or another key's. */
export function revocationOptions(name: string, type: KeyType | undefined): SignatureOptions {
  if (name === "") return {};
  const known = ALGORITHMS.get(name.replace(/[-_]/g, "").toLowerCase());
  if (known === undefined) throw badRequest(`Unknown value for revocation_signature_algorithm: ${name}`);
  if (type !== undefined && known.type !== type) {
    throw badRequest(`the issuer's key is of type ${type}, which cannot sign with ${name}`);
  }
  return known;
}

/** Signs what an issuer says about revocation: CRLs and OCSP answers. */
export function revocationSigner({ key, record }: Pick<SigningIssuer, "key" | "record">): Signer {
  return signerFor(key, revocationOptions(record.revocationSignatureAlgorithm, kindOf(key)?.type));
}
