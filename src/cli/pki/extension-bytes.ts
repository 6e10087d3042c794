/*
 * The few bytes of DER that the commands look at themselves: some extensions of certificates, and the times of CRLs. Everything
 * else node:crypto tells.
 */

/** An element: its tag, where its contents begin and end. */
export interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const UTC_TIME = 0x17;

/** @throws SyntaxError when there is no whole element. */
export function elementAt(der: Uint8Array, at: number): Element {
  const tag = der[at] ?? 0;
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (der[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start + length > der.length) throw new SyntaxError("not DER");
  return { tag, start, end: start + length };
}

export function childrenOf(der: Uint8Array, { start, end }: Element): readonly Element[] {
  const children: Element[] = [];
  for (let at = start; at < end; ) {
    const child = elementAt(der, at);
    children.push(child);
    at = child.end;
  }
  return children;
}

export function bytesOf(der: Uint8Array, { start, end }: Element): Buffer {
  return Buffer.from(der.subarray(start, end));
}

/** The value of a certificate's extension. @param oid - Its contents in hex. @returns Undefined: the certificate has none such. */
export function extensionValue(der: Uint8Array, oid: string): Buffer | undefined {
  const [tbs] = childrenOf(der, elementAt(der, 0));
  const wrapped = tbs === undefined ? undefined : childrenOf(der, tbs).find(({ tag }) => tag === 0xa3);
  const list = wrapped === undefined ? [] : childrenOf(der, elementAt(der, wrapped.start));
  for (const extension of list) {
    const parts = childrenOf(der, extension);
    const [id] = parts;
    const value = parts.at(-1);
    if (id !== undefined && value !== undefined && bytesOf(der, id).toString("hex") === oid)
      return bytesOf(der, value);
  }
  return undefined;
}

/** The key ids that a certificate states of its own key and of its issuer's, in hex; empty for one that it does not. */
export function keyIdsOf(der: Uint8Array): { readonly own: string; readonly issuer: string } {
  return {
    own: subjectKeyId(extensionValue(der, "551d0e")),
    issuer: authorityKeyId(extensionValue(der, "551d23")),
  };
}

function subjectKeyId(value: Buffer | undefined): string {
  return value === undefined ? "" : bytesOf(value, elementAt(value, 0)).toString("hex");
}

function authorityKeyId(value: Buffer | undefined): string {
  if (value === undefined) return "";
  const id = childrenOf(value, elementAt(value, 0)).find(({ tag }) => tag === 0x80);
  return id === undefined ? "" : bytesOf(value, id).toString("hex");
}

/** When a CRL was made and when the next one is due, milliseconds since the epoch. @throws SyntaxError */
export function crlTimes(der: Uint8Array): { readonly thisUpdate: number; readonly nextUpdate: number } {
  const [tbs] = childrenOf(der, elementAt(der, 0));
  if (tbs?.tag !== SEQUENCE) throw new SyntaxError("not a CRL");
  const parts = childrenOf(der, tbs);
  // version, signature, issuer, thisUpdate, nextUpdate; the version may be missing.
  const [, , thisUpdate, nextUpdate] = parts[0]?.tag === INTEGER ? parts.slice(1) : parts;
  return { thisUpdate: timeOf(der, thisUpdate), nextUpdate: timeOf(der, nextUpdate) };
}

function timeOf(der: Uint8Array, element: Element | undefined): number {
  if (element === undefined) throw new SyntaxError("a CRL without times");
  const text = bytesOf(der, element).toString("latin1");
  const whole = element.tag === UTC_TIME ? `${Number(text.slice(0, 2)) >= 50 ? "19" : "20"}${text}` : text;
  const ms = Date.parse(whole.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(ms)) throw new SyntaxError("a CRL with a time that is none");
  return ms;
}

/** The DER in a block of PEM. @throws SyntaxError for a text without one. */
export function derOfPem(text: string): Buffer {
  const [, body] = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(text) ?? [];
  if (body === undefined) throw new SyntaxError("not PEM");
  return Buffer.from(body, "base64");
}
