import asn1, { type ForgeNode } from "node-forge/lib/asn1.js";

/*
 * ASN.1 values in DER (ITU-T X.690), as node-forge writes and reads them. Everything here is bytes and structure; keys and
 * signatures are node:crypto's.
 */

/** A value: its tag, and its parts or its bytes (each a character). */
export type Asn1 = ForgeNode;

/** Universal tags (X.680 section 8.6). */
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  null: 5,
  oid: 6,
  enumerated: 10,
  utf8String: 12,
  sequence: 16,
  set: 17,
  printableString: 19,
  t61String: 20,
  ia5String: 22,
  utcTime: 23,
  generalizedTime: 24,
  bmpString: 30,
} as const;

const UNIVERSAL = 0x00;
const CONTEXT = 0x80;

/** What came from outside is not the DER that it should be. The message says which part, never its content. */
export class DerError extends SyntaxError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "DerError";
  }
}

const characters = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
const primitive = (type: number, value: string): Asn1 => asn1.create(UNIVERSAL, type, false, value);

export const sequence = (...parts: readonly Asn1[]): Asn1 =>
  asn1.create(UNIVERSAL, TAG.sequence, true, parts);
export const octetString = (bytes: Uint8Array): Asn1 => primitive(TAG.octetString, characters(bytes));
/** A bit string of whole bytes. */
export const bitString = (bytes: Uint8Array): Asn1 => primitive(TAG.bitString, `\0${characters(bytes)}`);
export const oid = (dotted: string): Asn1 => primitive(TAG.oid, asn1.oidToDer(dotted).getBytes());
export const boolean = (value: boolean): Asn1 => primitive(TAG.boolean, value ? "\xff" : "\0");
export const nothing = (): Asn1 => primitive(TAG.null, "");
export const utf8String = (text: string): Asn1 =>
  primitive(TAG.utf8String, Buffer.from(text, "utf8").toString("latin1"));
export const ia5String = (text: string): Asn1 => primitive(TAG.ia5String, text);
export const printableString = (text: string): Asn1 => primitive(TAG.printableString, text);
/** The bytes of a value of another universal type. */
export const universal = primitive;

/** A set, its parts in DER's order (X.690 section 11.6). */
export function setOf(...parts: readonly Asn1[]): Asn1 {
  const ordered = [...parts].sort((a, b) => Buffer.compare(toDer(a), toDer(b)));
  return asn1.create(UNIVERSAL, TAG.set, true, ordered);
}

/** A non-negative whole number, from its big-endian bytes. */
export function integer(bytes: Uint8Array): Asn1 {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const needsZero = digits.length === 0 || (digits[0] ?? 0) >= 0x80;
  return primitive(TAG.integer, (needsZero ? "\0" : "") + characters(digits));
}

/** A non-negative whole number. */
export function smallInteger(value: number): Asn1 {
  const hex = value.toString(16);
  return integer(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
}

/** An enumerated value below 128. */
export const enumerated = (value: number): Asn1 => primitive(TAG.enumerated, String.fromCharCode(value));

/** `[number] EXPLICIT`, or a constructed `[number] IMPLICIT`. */
export const tagged = (number: number, ...parts: readonly Asn1[]): Asn1 =>
  asn1.create(CONTEXT, number, true, parts);
/** A primitive `[number] IMPLICIT`. */
export const taggedBytes = (number: number, bytes: Uint8Array): Asn1 =>
  asn1.create(CONTEXT, number, false, characters(bytes));

/** The named bits of a bit string, without trailing zeros (X.690 section 11.2.2). @param set - The numbers of the bits. */
export function namedBits(set: readonly number[]): Asn1 {
  const highest = Math.max(-1, ...set);
  const bytes = Buffer.alloc(Math.ceil((highest + 1) / 8));
  for (const bit of set) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  const unused = bytes.length === 0 ? 0 : 7 - (highest & 7);
  return primitive(TAG.bitString, String.fromCharCode(unused) + characters(bytes));
}

/** A time as certificates and CRLs have it: UTCTime up to 2049, then GeneralizedTime (RFC 5280 section 4.1.2.5). */
export function time(ms: number): Asn1 {
  const text = `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "")}`;
  const year = new Date(ms).getUTCFullYear();
  const isShort = year >= 1950 && year < 2050;
  return isShort ? primitive(TAG.utcTime, text.slice(2)) : primitive(TAG.generalizedTime, text);
}

/** A GeneralizedTime whatever the year, as OCSP has it. */
export const generalizedTime = (ms: number): Asn1 =>
  primitive(TAG.generalizedTime, new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, ""));

export function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}

const DER_BYTES_MAX = 4 * 1024 * 1024;

/** Reads one value, which has to be all of the bytes. @throws DerError */
export function fromDer(der: Uint8Array): Asn1 {
  if (der.length > DER_BYTES_MAX) throw new DerError("more than 4 MiB of ASN.1");
  try {
    return asn1.fromDer(characters(der), { strict: true, parseAllBytes: true, decodeBitStrings: false });
  } catch (error) {
    throw new DerError("malformed ASN.1", { cause: error });
  }
}

/** The parts of a constructed value. @param what - For the message. @throws DerError */
export function partsOf(node: Asn1 | undefined, what: string): readonly Asn1[] {
  if (node === undefined || typeof node.value === "string") throw new DerError(`malformed ${what}`);
  return node.value;
}

/** The parts of a sequence. @param what - For the message. @throws DerError */
export function sequenceParts(node: Asn1 | undefined, what: string): readonly Asn1[] {
  if (!isUniversal(node, TAG.sequence)) throw new DerError(`malformed ${what}`);
  return partsOf(node, what);
}

/** The bytes of a primitive value. @param what - For the message. @throws DerError */
export function bytesOf(node: Asn1 | undefined, what: string): Buffer {
  if (node === undefined || typeof node.value !== "string") throw new DerError(`malformed ${what}`);
  return Buffer.from(node.value, "latin1");
}

export function isUniversal(node: Asn1 | undefined, type: number): node is Asn1 {
  return node !== undefined && node.tagClass === UNIVERSAL && node.type === type;
}

export function isTagged(node: Asn1 | undefined, number: number): node is Asn1 {
  return node !== undefined && node.tagClass === CONTEXT && node.type === number;
}

/** @throws DerError */
export function oidOf(node: Asn1 | undefined, what: string): string {
  if (!isUniversal(node, TAG.oid)) throw new DerError(`malformed ${what}`);
  try {
    return asn1.derToOid(bytesOf(node, what).toString("latin1"));
  } catch (error) {
    throw new DerError(`malformed ${what}`, { cause: error });
  }
}

/**
 * The bytes of a whole number that is not negative, without the zero that is its sign: as serial numbers are compared. One that
 * is written otherwise would be the same as another one here, and not to others. @throws DerError
 */
export function magnitudeOf(node: Asn1 | undefined, what: string): Buffer {
  const bytes = bytesOf(node, what);
  const [first = 0x80, second = 0x80] = bytes;
  const isPadded = bytes.length > 1 && first === 0;
  if (!isUniversal(node, TAG.integer) || first >= 0x80 || (isPadded && second < 0x80)) {
    throw new DerError(`malformed ${what}`);
  }
  return isPadded ? bytes.subarray(1) : bytes;
}

/** The bytes of a bit string of whole bytes. @throws DerError */
export function bitsOf(node: Asn1 | undefined, what: string): Buffer {
  const bytes = bytesOf(node, what);
  if (!isUniversal(node, TAG.bitString) || bytes[0] !== 0) throw new DerError(`malformed ${what}`);
  return bytes.subarray(1);
}

/** Which bits of a bit string are set. @throws DerError */
export function setBitsOf(node: Asn1 | undefined, what: string): readonly number[] {
  const bytes = bytesOf(node, what).subarray(1);
  return [...bytes].flatMap((byte, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (0x80 >> bit)) !== 0).map((bit) => index * 8 + bit),
  );
}

/** Milliseconds since the epoch. @throws DerError */
export function timeOf(node: Asn1 | undefined, what: string): number {
  const text = bytesOf(node, what).toString("latin1");
  const isShort = isUniversal(node, TAG.utcTime);
  const match = (isShort ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text);
  const [, yearText = "", rest = ""] = match ?? [];
  // RFC 5280 section 4.1.2.5.1: two digits from 50 on are of the last century.
  const year = isShort ? `${Number(yearText) >= 50 ? "19" : "20"}${yearText}` : yearText;
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (match === null || Number.isNaN(ms)) throw new DerError(`malformed ${what}`);
  return ms;
}

/** A value's place among bytes: of its contents and of what comes after it. */
interface Extent {
  readonly contents: number;
  readonly end: number;
}

function extentAt(der: Uint8Array, start: number): Extent {
  const first = der[start + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (der[start + 2 + index] ?? 0);
  const contents = start + 2 + lengthBytes;
  return { contents, end: contents + length };
}

/** The first part of a constructed value, byte by byte as it came: what a signature is over. */
export function firstPartBytes(der: Uint8Array): Buffer {
  const { contents } = extentAt(der, 0);
  return Buffer.from(der.subarray(contents, extentAt(der, contents).end));
}
