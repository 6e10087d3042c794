import { parseCidr } from "../../../base/cidr.ts";
import { badRequest } from "../../../base/errors.ts";
import type { Values } from "../../../framework/field.ts";
import { isAddress } from "../roles/hostname.ts";
import type { Asn1 } from "../x509/asn1.ts";
import type { Extension } from "../x509/extensions.ts";
import { dnsName, emailName, ipName, uriName } from "../x509/general-names.ts";
import { ipBytes } from "../x509/ip.ts";
import { nameConstraints } from "../x509/name-constraints.ts";
import type { CA_ISSUE_FIELDS } from "./fields.ts";

/** The parameters that say which names a CA may issue for. */
export type NameBounds = Pick<
  Values<typeof CA_ISSUE_FIELDS>,
  `${"permitted" | "excluded"}_${"dns_domains" | "ip_ranges" | "email_addresses" | "uri_domains"}`
>;

/** The extension that bounds the names, where they are bounded. @throws ApiError 400 for what no verifier would understand. */
export function nameBounds(terms: NameBounds): readonly Extension[] {
  const names = (kind: "permitted" | "excluded"): readonly Asn1[] => [
    ...terms[`${kind}_dns_domains`].map((name) => dnsName(domain(`${kind}_dns_domains`, name))),
    ...terms[`${kind}_ip_ranges`].map((block) => ipName(rangeBytes(`${kind}_ip_ranges`, block))),
    ...terms[`${kind}_email_addresses`].map((name) => emailName(mailbox(`${kind}_email_addresses`, name))),
    ...terms[`${kind}_uri_domains`].map((name) => uriName(domain(`${kind}_uri_domains`, name))),
  ];
  const [permitted, excluded] = [names("permitted"), names("excluded")];
  return permitted.length + excluded.length === 0 ? [] : [nameConstraints(permitted, excluded)];
}

const DOMAIN = /^\.?[\w-]+(?:\.[\w-]+)*$/;

function domain(field: string, name: string): string {
  if (DOMAIN.test(name) && !isAddress(name)) return name;
  throw badRequest(
    `${field}: ${JSON.stringify(name)} is not a domain: example.com, or .example.com, in ASCII and without a wildcard`,
  );
}

function mailbox(field: string, name: string): string {
  const at = name.lastIndexOf("@");
  const isGood = at < 0 ? DOMAIN.test(name) : /^[\x21-\x7e]+@[\w-]+(?:\.[\w-]+)*$/.test(name);
  if (isGood) return name;
  throw badRequest(
    `${field}: ${JSON.stringify(name)} is neither an address nor a domain: user@example.com, example.com, or .example.com, in ASCII`,
  );
}

/** Of an IPv4 block that is written as one of IPv6 (RFC 4291 section 2.5.5.2), these bits come first. */
const MAPPED_BITS = 96;

/** Address and mask (RFC 5280 section 4.2.1.10). */
function rangeBytes(field: string, block: string): Buffer {
  const cidr = parseCidr(block);
  const address = cidr === null ? null : ipBytes(cidr.address);
  const isMapped = cidr?.family === "ipv6" && address?.length === 4;
  const prefixBits = (cidr?.prefixBits ?? -1) - (isMapped ? MAPPED_BITS : 0);
  if (address === null || prefixBits < 0)
    throw badRequest(`${field}: ${JSON.stringify(block)} is not an address block`);
  const mask = Buffer.alloc(address.length);
  for (const index of mask.keys()) {
    const bits = Math.min(8, Math.max(0, prefixBits - index * 8));
    mask[index] = (0xff << (8 - bits)) & 0xff;
  }
  const first = Buffer.from(address.map((byte, index) => byte & (mask[index] ?? 0)));
  return Buffer.concat([first, mask]);
}
