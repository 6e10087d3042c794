import { badRequest } from "../../../base/errors.ts";
import { asciiName, isAddress, isHostname } from "../roles/hostname.ts";
import { DerError } from "../x509/asn1.ts";
import type { Csr } from "../x509/csr.ts";
import { findExtension } from "../x509/extensions.ts";
import { type AltNames, decodeAltNames, NO_NAMES, type OtherName } from "../x509/general-names.ts";
import { ipBytes, ipText } from "../x509/ip.ts";
import { decodeName } from "../x509/name.ts";
import { isOid, OID } from "../x509/oids.ts";

/** Names as a caller gives them. */
export interface NameParameters {
  readonly alt_names: string;
  readonly ip_sans: readonly string[];
  readonly uri_sans: readonly string[];
  readonly other_sans: readonly string[];
}

/** The alternative names that a caller's parameters ask for. @throws ApiError 400 naming the first that is none. */
export function namesFrom(given: NameParameters): AltNames {
  const alternatives = unique(given.alt_names.split(",").map((name) => name.trim())).sort();
  return {
    dns: alternatives.filter((name) => !name.includes("@")).map(dnsName),
    emails: alternatives.filter((name) => name.includes("@")).map(emailName),
    ips: unique(given.ip_sans).map(ipName),
    uris: unique(given.uri_sans).map(uriName),
    others: unique(given.other_sans).map(otherName),
  };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== "");
}

function dnsName(name: string): string {
  if (isAddress(name)) throw badRequest(`alt_names: ${name} is an IP address; give it as ip_sans`);
  const ascii = asciiName(name);
  if (ascii === null) throw badRequest(`subject alternate name ${JSON.stringify(name)} is not a valid name`);
  return ascii;
}

function emailName(name: string): string {
  if (/^[\x21-\x7e]+$/.test(name)) return name;
  const at = name.lastIndexOf("@");
  const domain = asciiName(name.slice(at + 1));
  const local = name.slice(0, at);
  if (domain === null || !/^[\x21-\x7e]+$/.test(local)) {
    throw badRequest(`email address ${JSON.stringify(name)} is not a valid address`);
  }
  return `${local}@${domain}`;
}

function ipName(text: string): string {
  const bytes = ipBytes(text);
  if (bytes === null) throw badRequest(`the value ${JSON.stringify(text)} is not a valid IP address`);
  return ipText(bytes);
}

function uriName(text: string): string {
  if (isUri(text)) return text;
  throw badRequest(`the provided URI Subject Alternative Name ${JSON.stringify(text)} is not a valid URI`);
}

/** A URI with a scheme (RFC 3986); RFC 5280 section 4.2.1.6 takes no relative ones. */
export function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text) && URL.canParse(text);
}

/** `OID;UTF8:value`, the value being anything. */
export const OTHER_NAME = /^([0-9.]+);(?:UTF8|UTF-8|UTF8STRING):(.*)$/is;

function otherName(text: string): OtherName {
  const [, oid = "", value = ""] = OTHER_NAME.exec(text) ?? [];
  if (!isOid(oid)) throw badRequest(`could not parse requested other SAN: ${text}`);
  return { oid, value };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these cut names short, or hide a part of them, where they are shown.
const hasControl = (name: string): boolean => /[\x00-\x1f\x7f]/.test(name);
const CONTROL = "the given csr has a name with a control character";

/** The names of a request's subject are not to hold what hides a part of them. @throws ApiError 400 */
export function checkSubject({ subject }: Csr): void {
  const names = decodeName(subject).filter(({ oid }) => oid === OID.commonName || oid === OID.emailAddress);
  if (names.some(({ value }) => hasControl(value))) throw badRequest(CONTROL);
}

/** The alternative names that a request asks for. @throws ApiError 400 for a malformed extension. */
export function namesInCsr({ extensions }: Csr): AltNames {
  const found = findExtension(extensions, OID.subjectAltName);
  if (found === undefined) return NO_NAMES;
  try {
    const names = decodeAltNames(found.value);
    if ([...names.dns, ...names.emails, ...names.uris].some(hasControl)) throw badRequest(CONTROL);
    return { ...names, dns: [...new Set(names.dns)], emails: [...new Set(names.emails)] };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw badRequest(`the given csr has a ${error.message}`, error);
  }
}

/** The names with the common name among them, if it is an address or a host name, as clients look at no other place. */
export function withCommonName(names: AltNames, commonName: string): AltNames {
  if (commonName.includes("@")) {
    return names.emails.includes(commonName) ? names : { ...names, emails: [commonName, ...names.emails] };
  }
  const ascii = asciiName(commonName);
  if (ascii === null || !isHostname(ascii) || isAddress(ascii) || names.dns.includes(ascii)) return names;
  return { ...names, dns: [ascii, ...names.dns] };
}
