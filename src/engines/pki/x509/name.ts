import {
  type Asn1,
  bytesOf,
  fromDer,
  isUniversal,
  oid,
  oidOf,
  partsOf,
  printableString,
  sequence,
  sequenceParts,
  setOf,
  TAG,
  toDer,
  utf8String,
} from "./asn1.ts";
import { OID } from "./oids.ts";

/** What a subject says of itself, in the order in which Vault writes it. Each attribute may have several values. */
export interface Subject {
  readonly country?: readonly string[];
  readonly organization?: readonly string[];
  readonly organizationalUnit?: readonly string[];
  readonly locality?: readonly string[];
  readonly province?: readonly string[];
  readonly streetAddress?: readonly string[];
  readonly postalCode?: readonly string[];
  readonly commonName?: string;
  readonly serialNumber?: string;
  readonly userIds?: readonly string[];
}

/** One attribute of a name that was read. */
export interface Attribute {
  readonly oid: string;
  readonly value: string;
}

/** X.680 section 41.4, with the `*` that Go allows as well. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*]*$/;

function textValue(text: string): Asn1 {
  return PRINTABLE.test(text) ? printableString(text) : utf8String(text);
}

/** The name in DER. Values of one attribute share a set, as in Go. */
export function encodeName(subject: Subject): Buffer {
  const { commonName = "", serialNumber = "" } = subject;
  const attributes: readonly (readonly [string, readonly string[]])[] = [
    [OID.country, subject.country ?? []],
    [OID.organization, subject.organization ?? []],
    [OID.organizationalUnit, subject.organizationalUnit ?? []],
    [OID.locality, subject.locality ?? []],
    [OID.province, subject.province ?? []],
    [OID.streetAddress, subject.streetAddress ?? []],
    [OID.postalCode, subject.postalCode ?? []],
    [OID.commonName, commonName === "" ? [] : [commonName]],
    [OID.serialNumber, serialNumber === "" ? [] : [serialNumber]],
  ];
  const sets = attributes
    .filter(([, values]) => values.length > 0)
    .map(([type, values]) =>
      setOf(...[...new Set(values)].map((value) => sequence(oid(type), textValue(value)))),
    );
  const users = (subject.userIds ?? []).map((id) => setOf(sequence(oid(OID.userId), utf8String(id))));
  return toDer(sequence(...sets, ...users));
}

/** A name without any attribute. */
export function isEmptyName(der: Uint8Array): boolean {
  return der.length === 2;
}

/** The attributes of a name, in order. @throws DerError */
export function decodeName(der: Uint8Array): readonly Attribute[] {
  return decodeRdns(der).flat();
}

/** The parts of a name, in order; each has one attribute, or several that belong together. @throws DerError */
export function decodeRdns(der: Uint8Array): readonly (readonly Attribute[])[] {
  return sequenceParts(fromDer(der), "name").map((set) =>
    partsOf(set, "name").map((attribute) => {
      const [type, value] = sequenceParts(attribute, "name");
      return { oid: oidOf(type, "name"), value: textOf(value) };
    }),
  );
}

/**
 * For each part of a name a text that parts have in common which mean the same: case and runs of spaces do not matter (RFC 5280
 * section 7.1). Letters beyond ASCII are folded by some and not by others: they are compared as they are. @throws DerError
 */
export function rdnKeys(der: Uint8Array): readonly string[] {
  return decodeRdns(der).map((attributes) =>
    JSON.stringify(attributes.map(({ oid: type, value }) => [type, folded(value)]).sort()),
  );
}

function folded(value: string): string {
  return value
    .trim()
    .replace(/\s+/g, " ")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether two names mean the same, whatever the types of their texts. @throws DerError */
export function isSameName(one: Uint8Array, other: Uint8Array): boolean {
  return rdnKeys(one).join() === rdnKeys(other).join();
}

function textOf(node: Asn1 | undefined): string {
  // node-forge has read these: each character stands for two bytes already.
  if (isUniversal(node, TAG.bmpString) && typeof node.value === "string") return node.value;
  const bytes = bytesOf(node, "name");
  return bytes.toString(isUniversal(node, TAG.utf8String) ? "utf8" : "latin1");
}

/** The last value of an attribute, as Go reads it; empty: there is none. */
export function attributeOf(attributes: readonly Attribute[], type: string): string {
  return attributes.findLast((attribute) => attribute.oid === type)?.value ?? "";
}

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.commonName, "CN"],
  [OID.organization, "O"],
  [OID.organizationalUnit, "OU"],
  [OID.country, "C"],
  [OID.locality, "L"],
  [OID.province, "ST"],
  [OID.streetAddress, "STREET"],
  [OID.postalCode, "POSTALCODE"],
  [OID.serialNumber, "SERIALNUMBER"],
  [OID.userId, "UID"],
  [OID.domainComponent, "DC"],
]);

/** The name as people read it, last attribute first: `CN=example.com,O=Acme` (RFC 4514). */
export function nameText(der: Uint8Array): string {
  return [...decodeName(der)]
    .reverse()
    .map(({ oid: type, value }) => `${SHORT_NAMES.get(type) ?? type}=${value.replace(/[,+"\\<>;]/g, "\\$&")}`)
    .join(",");
}
