import { isIP, isIPv4 } from "node:net";

/** An IP address as certificates hold it: 4 or 16 bytes; an IPv4 address in IPv6 clothes is 4. Null: the text is none. */
export function ipBytes(text: string): Buffer | null {
  if (text.includes("%") || isIP(text) === 0) return null;
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  const bytes = ipv6Bytes(text);
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  return isMapped ? bytes.subarray(12) : bytes;
}

function ipv6Bytes(text: string): Buffer {
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The address as text; bytes of another length as hex. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join(".");
  const buffer = Buffer.from(bytes);
  if (bytes.length !== 16) return buffer.toString("hex");
  const parts = Array.from({ length: 8 }, (_, index) => buffer.readUInt16BE(index * 2).toString(16));
  // The URL parser writes the short form (RFC 5952).
  return new URL(`http://[${parts.join(":")}]/`).hostname.slice(1, -1);
}
