import { isAddress } from "../roles/hostname.ts";
import { type AltNames, encodeAltNames, type GeneralName, readGeneralNames } from "../x509/general-names.ts";
import { ipBytes } from "../x509/ip.ts";
import { type Attribute, decodeName, isEmptyName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";
import { textOf } from "./dns.ts";

/** What a certificate is to call its subject. */
export interface Named {
  /** Name in DER. */
  readonly subject: Buffer;
  /** As they will be written; or the value of a subjectAltName that is there already, in DER. */
  readonly altNames: AltNames | Buffer;
  readonly isCa: boolean;
}

/**
 * All names that constraints are about: the alternative ones, the subject as such, addresses in it, and its common names where
 * clients take them for hosts, for want of an alternative name (RFC 6125 section 6.4.4).
 * @throws DerError for a malformed extension.
 */
export function constrainedNames({ subject, altNames, isCa }: Named): readonly GeneralName[] {
  const alternatives = readGeneralNames(Buffer.isBuffer(altNames) ? altNames : encodeAltNames(altNames));
  const attributes = decodeName(subject);
  const hasDns = alternatives.some(({ kind }) => kind === "dns");
  const valuesOf = (type: string): readonly string[] =>
    attributes.filter(({ oid }: Attribute) => oid === type).map(({ value }) => value);
  return [
    ...(isEmptyName(subject) ? [] : [{ kind: "directory", bytes: subject }]),
    ...valuesOf(OID.emailAddress).map((value) => textName("email", value)),
    ...(isCa || hasDns
      ? []
      : valuesOf(OID.commonName)
          .filter(isHostLike)
          .map((value) => textName("dns", value))),
    ...alternatives,
    // Some clients look for an address among the host names.
    ...alternatives.filter(({ kind }) => kind === "dns").flatMap(({ bytes }) => addressIn(textOf(bytes))),
  ];
}

function textName(kind: string, value: string): GeneralName {
  // What is not ASCII has to stay so, for the comparison to find it.
  const isShort = [...value].every((character) => character.charCodeAt(0) < 0x100);
  return { kind, bytes: Buffer.from(value, isShort ? "latin1" : "utf8") };
}

/** A host of several labels, a wildcard or a dot at the end included, or what would be one if it ended at its NUL. */
function isHostLike(commonName: string): boolean {
  return /^[\w*](?:[\w*-]*[\w*])?(?:\.[\w*](?:[\w*-]*[\w*])?)+\.?(?:\0.*)?$/s.test(commonName);
}

function addressIn(text: string): readonly GeneralName[] {
  const bytes = isAddress(text) ? ipBytes(text) : null;
  return bytes === null ? [] : [{ kind: "ip", bytes }];
}
