import { parseCidr } from "../../../base/cidr.ts";
import { badRequest } from "../../../base/errors.ts";
import type { Values } from "../../../framework/field.ts";
import { checkExtKeyUsageOids, extKeyUsageOids, keyUsageBits } from "../usage.ts";
import type { Asn1 } from "../x509/asn1.ts";
import type { Extension } from "../x509/extensions.ts";
import * as extensions from "../x509/extensions.ts";
import { dnsName, emailName, ipName, uriName } from "../x509/general-names.ts";
import { ipBytes } from "../x509/ip.ts";
import { KEY_USAGE_BITS } from "../x509/oids.ts";
import type { CA_ISSUE_FIELDS } from "./fields.ts";

type IssueTerms = Omit<Values<typeof CA_ISSUE_FIELDS>, "issuer_name">;

/** What makes a certificate a CA's, and bounds it. @throws ApiError 400 */
export function caExtensions(terms: IssueTerms): readonly Extension[] {
  const always = ["certsign", "crlsign"].map((name) => KEY_USAGE_BITS.get(name) ?? 0);
  const bits = [...new Set([...keyUsageBits(terms.key_usage), ...always])];
  checkExtKeyUsageOids(terms.ext_key_usage_oids);
  const purposes = [...new Set([...extKeyUsageOids(terms.ext_key_usage), ...terms.ext_key_usage_oids])];
  if (terms.max_path_length < -1) throw badRequest("max_path_length has to be -1 or more");
  const [permitted, excluded] = nameBounds(terms);
  return [
    extensions.keyUsage(bits),
    ...(purposes.length > 0 ? [extensions.extKeyUsage(purposes)] : []),
    extensions.caConstraints(terms.max_path_length),
    ...(permitted.length + excluded.length > 0 ? [extensions.nameConstraints(permitted, excluded)] : []),
  ];
}

function nameBounds(terms: IssueTerms): readonly [permitted: readonly Asn1[], excluded: readonly Asn1[]] {
  const names = (kind: "permitted" | "excluded"): readonly Asn1[] => [
    ...terms[`${kind}_dns_domains`].map((name) => dnsName(printable(`${kind}_dns_domains`, name))),
    ...terms[`${kind}_ip_ranges`].map((block) => ipName(rangeBytes(`${kind}_ip_ranges`, block))),
    ...terms[`${kind}_email_addresses`].map((name) => emailName(printable(`${kind}_email_addresses`, name))),
    ...terms[`${kind}_uri_domains`].map((name) => uriName(printable(`${kind}_uri_domains`, name))),
  ];
  return [names("permitted"), names("excluded")];
}

function printable(field: string, name: string): string {
  if (/^[\x21-\x7e]+$/.test(name)) return name;
  throw badRequest(`${field}: ${JSON.stringify(name)} is not a name in ASCII`);
}

/** Address and mask (RFC 5280 section 4.2.1.10). */
function rangeBytes(field: string, block: string): Buffer {
  const cidr = parseCidr(block);
  const address = cidr === null ? null : ipBytes(cidr.address);
  if (cidr === null || address === null)
    throw badRequest(`${field}: ${JSON.stringify(block)} is not an address block`);
  const mask = Buffer.alloc(address.length);
  for (const index of mask.keys()) {
    const bits = Math.min(8, Math.max(0, cidr.prefixBits - index * 8));
    mask[index] = (0xff << (8 - bits)) & 0xff;
  }
  const first = Buffer.from(address.map((byte, index) => byte & (mask[index] ?? 0)));
  return Buffer.concat([first, mask]);
}
