import {
  type Asn1,
  bytesOf,
  DerError,
  fromDer,
  isTagged,
  isUniversal,
  oid,
  oidOf,
  partsOf,
  sequence,
  sequenceParts,
  TAG,
  tagged,
  taggedBytes,
  toDer,
  utf8String,
} from "./asn1.ts";
import { ipBytes, ipText } from "./ip.ts";

/** An otherName whose value is a UTF8String, the only kind that Vault knows. */
export interface OtherName {
  readonly oid: string;
  readonly value: string;
}

/** The alternative names of a subject, all of them ASCII except those of other kinds. */
export interface AltNames {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  /** As text. */
  readonly ips: readonly string[];
  readonly uris: readonly string[];
  readonly others: readonly OtherName[];
}

export const NO_NAMES: AltNames = { dns: [], emails: [], ips: [], uris: [], others: [] };

export function hasNames(names: AltNames): boolean {
  return Object.values(names).some((list: readonly unknown[]) => list.length > 0);
}

// Tags of GeneralName (RFC 5280 section 4.2.1.6).
const OTHER = 0;
const EMAIL = 1;
const DNS = 2;
const DIRECTORY = 4;
const URI = 6;
const IP = 7;

const KINDS: ReadonlyMap<number, string> = new Map([
  [EMAIL, "email"],
  [DNS, "dns"],
  [DIRECTORY, "directory"],
  [URI, "uri"],
  [IP, "ip"],
]);

/** A name of any kind, as it stands in a certificate. */
export interface GeneralName {
  /** `dns`, `email`, `uri`, `ip`, `directory`; of an otherName `other` and its type; else `tag` and its number. */
  readonly kind: string;
  /** Of a text its characters, of an address its bytes, of a directory name its DER. */
  readonly bytes: Buffer;
}

/** Reads a name, whatever its content. @throws DerError */
export function readGeneralName(node: Asn1): GeneralName {
  const { type: tag } = node;
  if (isTagged(node, OTHER)) {
    const [type] = partsOf(node, "general name");
    return { kind: `other ${oidOf(type, "general name")}`, bytes: toDer(node) };
  }
  const kind = KINDS.get(tag);
  if (kind === undefined || !isTagged(node, tag)) return { kind: `tag ${tag}`, bytes: toDer(node) };
  if (kind !== "directory") return { kind, bytes: bytesOf(node, "general name") };
  const [name] = partsOf(node, "general name");
  sequenceParts(name, "general name");
  return { kind, bytes: toDer(name as Asn1) };
}

/** Reads all names of a subjectAltName. @throws DerError */
export function readGeneralNames(der: Uint8Array): readonly GeneralName[] {
  return sequenceParts(fromDer(der), "subject alternative name").map(readGeneralName);
}

const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
export const uriName = (uri: string): Asn1 => taggedBytes(URI, ascii(uri));
export const dnsName = (name: string): Asn1 => taggedBytes(DNS, ascii(name));
export const emailName = (name: string): Asn1 => taggedBytes(EMAIL, ascii(name));
export const ipName = (bytes: Uint8Array): Asn1 => taggedBytes(IP, bytes);
/** A directoryName. @param name - In DER. */
export const directoryName = (name: Uint8Array): Asn1 => tagged(DIRECTORY, fromDer(name));

/** GeneralNames in DER: the value of a subjectAltName. */
export function encodeAltNames(names: AltNames): Buffer {
  return toDer(
    sequence(
      ...names.others.map(({ oid: type, value }) => tagged(OTHER, oid(type), tagged(0, utf8String(value)))),
      ...names.dns.map(dnsName),
      ...names.emails.map(emailName),
      ...names.ips.map((text) => ipName(ipBytes(text) ?? Buffer.alloc(0))),
      ...names.uris.map(uriName),
    ),
  );
}

/** Reads a subjectAltName. Kinds that Vault does not know (directory names, registered ids) are left out. @throws DerError */
export function decodeAltNames(der: Uint8Array): AltNames {
  const names = { dns: [] as string[], emails: [] as string[], ips: [] as string[], uris: [] as string[] };
  const others: OtherName[] = [];
  for (const node of sequenceParts(fromDer(der), "subject alternative name")) {
    if (isTagged(node, OTHER)) others.push(otherOf(node));
    if (isTagged(node, EMAIL)) names.emails.push(asciiOf(node));
    if (isTagged(node, DNS)) names.dns.push(asciiOf(node));
    if (isTagged(node, URI)) names.uris.push(asciiOf(node));
    if (isTagged(node, IP)) names.ips.push(addressOf(node));
  }
  return { ...names, others };
}

function asciiOf(node: Asn1): string {
  const bytes = bytesOf(node, "subject alternative name");
  if (bytes.some((byte) => byte >= 0x80)) throw new DerError("malformed subject alternative name");
  return bytes.toString("latin1");
}

function addressOf(node: Asn1): string {
  const bytes = bytesOf(node, "subject alternative name");
  if (bytes.length !== 4 && bytes.length !== 16) throw new DerError("malformed subject alternative name");
  return ipText(bytes);
}

function otherOf(node: Asn1): OtherName {
  const [type, wrapped] = partsOf(node, "subject alternative name");
  const [value] = partsOf(wrapped, "subject alternative name");
  // Another type would come out as a different name than the one that was asked for.
  if (!isUniversal(value, TAG.utf8String)) throw new DerError("malformed subject alternative name");
  return {
    oid: oidOf(type, "subject alternative name"),
    value: bytesOf(value, "subject alternative name").toString("utf8"),
  };
}
