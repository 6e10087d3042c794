import { badRequest } from "../../../base/errors.ts";
import { field, type Given } from "../../../framework/field.ts";
import { mergeUrls, URL_FIELDS } from "../config/urls-path.ts";
import { revocationOptions } from "../crl/signer.ts";
import { checkIssuerName } from "./add.ts";
import type { CaSet } from "./change.ts";
import { type IssuerRecord, LEAF_BEHAVIORS, NO_URLS, USAGES } from "./record.ts";
import { checkUrls } from "./urls.ts";
import { askedUsages, possibleUsages } from "./usages.ts";

export const ISSUER_UPDATE_FIELDS = {
  issuer_ref: field.string({ description: "The issuer: its id, its name, or default.", default: "default" }),
  issuer_name: field.string({ description: "The issuer's name." }),
  leaf_not_after_behavior: field.string({
    description: "What becomes of a certificate that would outlive the issuer: err, truncate or permit.",
    default: "err",
    allowed: LEAF_BEHAVIORS,
  }),
  usage: field.commaStringList({
    description: "What the issuer may be used for.",
    default: USAGES,
  }),
  manual_chain: field.commaStringList({
    description: "The issuers of the chain, this one first; empty: the chain is found.",
  }),
  revocation_signature_algorithm: field.string({
    description:
      "How CRLs and OCSP answers are signed, in Go's words, such as SHA256WithRSAPSS; empty: as the key has it.",
  }),
  ...URL_FIELDS,
  enable_aia_url_templating: field.bool({
    description: "The URLs hold {{issuer_id}}, {{cluster_path}} or {{cluster_aia_path}}.",
  }),
};

type IssuerGiven = Given<typeof ISSUER_UPDATE_FIELDS>;

/** What a write that replaces begins with: an issuer without anything that was set. */
export function resetIssuer(issuer: IssuerRecord): IssuerRecord {
  return {
    ...issuer,
    name: "",
    leafNotAfter: "err",
    usage: possibleUsages(issuer),
    manualChain: [],
    revocationSignatureAlgorithm: "",
    urls: NO_URLS,
  };
}

/** An issuer with what was given. @param base - The present one, or {@link resetIssuer} of it. @throws ApiError 400 */
export function updatedIssuer(set: CaSet, base: IssuerRecord, given: IssuerGiven): IssuerRecord {
  const name = given.issuer_name ?? base.name;
  checkIssuerName(set, name, base.id);
  const leafNotAfter = LEAF_BEHAVIORS.find(
    (behavior) => behavior === (given.leaf_not_after_behavior ?? base.leafNotAfter),
  );
  if (leafNotAfter === undefined) {
    throw badRequest(
      "Unknown value for field `leaf_not_after_behavior`. Possible values are `err`, `truncate`, and `permit`.",
    );
  }
  const algorithm = given.revocation_signature_algorithm ?? base.revocationSignatureAlgorithm;
  revocationOptions(algorithm, set.keys.find(({ id }) => id === base.keyId)?.type);
  const isTemplate = given.enable_aia_url_templating ?? base.urls.isTemplate;
  const urls = { ...mergeUrls(base.urls, given), isTemplate };
  checkUrls(urls);
  return {
    ...base,
    name,
    leafNotAfter,
    usage: given.usage === undefined ? base.usage : askedUsages(given.usage, base),
    manualChain:
      given.manual_chain === undefined ? base.manualChain : manualChain(set, base, given.manual_chain),
    revocationSignatureAlgorithm: algorithm,
    urls,
  };
}

function manualChain(set: CaSet, own: IssuerRecord, refs: readonly string[]): readonly string[] {
  const wanted = refs.filter((ref) => ref !== "");
  const ids = wanted.map((ref) => {
    const issuer = set.issuers.find(({ id, name }) => id === ref || name === ref);
    if (issuer === undefined) throw badRequest(`unable to find issuer ${ref} of the manual chain`);
    return issuer.id;
  });
  if (ids.length > 0 && ids[0] !== own.id)
    throw badRequest("the first issuer of a manual chain is the issuer itself");
  if (new Set(ids).size < ids.length) throw badRequest("a manual chain names each issuer once");
  return ids;
}
