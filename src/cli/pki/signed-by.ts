import { keyIdsOf } from "./extension-bytes.ts";
import type { Issuer } from "./issuer.ts";

/** How one issuer's certificate relates to another's. */
export interface Relation {
  /** The issued one names the other's subject as its issuer. */
  readonly subject_match: boolean;
  /** The other is in the issued one's chain, as the mount keeps it. */
  readonly path_match: boolean;
  /** The other's key, directly or through the chain, has signed. */
  readonly trust_match: boolean;
  /** The issued one states the key id of the other. */
  readonly key_id_match: boolean;
  /** The other's key has signed the issued one itself. */
  readonly signature_match: boolean;
}

/** Compares two issuers: is `issued` signed by `issuer`? */
export function relationOf(issuer: Issuer, issued: Issuer): Relation {
  const parent = issuer.certificate;
  const child = issued.certificate;
  const { own } = keyIdsOf(parent.raw);
  const { issuer: stated } = keyIdsOf(child.raw);
  const isSigned = child.verify(parent.publicKey);
  const isInChain = issued.chain.some((pem) => pem.trim() === parent.toString().trim());
  return {
    subject_match: child.issuer === parent.subject,
    path_match: isInChain,
    trust_match: isSigned || (isInChain && issued.path !== issuer.path),
    key_id_match: own !== "" && own === stated,
    signature_match: isSigned,
  };
}
