import { ipText } from "../x509/ip.ts";
import type { NameForm } from "./form.ts";

/** Addresses: a constraint is an address and its mask. */
export const IP_FORM: NameForm = {
  label: "IP address",
  isBase: isBlock,
  show: (bytes) => (isBlock(bytes) ? blockText(bytes) : ipText(bytes)),
  problemOf: (name) => (name.length === 4 || name.length === 16 ? null : "it is not 4 or 16 bytes long"),
  permits: isWithin,
  excludes: (base, name) => isWithin(base, name) || isWithin(shortBlock(base), shortAddress(name)),
};

function isBlock(base: Buffer): boolean {
  return base.length === 8 || base.length === 32;
}

function isWithin(base: Buffer, name: Buffer): boolean {
  if (base.length !== name.length * 2) return false;
  const mask = base.subarray(name.length);
  return name.every((byte, index) => ((byte ^ (base[index] ?? 0)) & (mask[index] ?? 0)) === 0);
}

/** What an IPv4 address in IPv6 clothes begins with (RFC 4291 section 2.5.5.2). */
const MAPPED = Buffer.from("00000000000000000000ffff", "hex");

/** The IPv4 address that an IPv6 address may stand for. */
function shortAddress(name: Buffer): Buffer {
  return name.length === 16 && name.subarray(0, 12).equals(MAPPED) ? name.subarray(12) : name;
}

/** As {@link shortAddress}, of a block. */
function shortBlock(base: Buffer): Buffer {
  const isMapped =
    base.length === 32 &&
    base.subarray(0, 12).equals(MAPPED) &&
    base.subarray(16, 28).every((byte) => byte === 0xff);
  return isMapped ? Buffer.concat([base.subarray(12, 16), base.subarray(28)]) : base;
}

/** `10.0.0.0/8`, or with the mask as an address where its bits have gaps. */
function blockText(base: Buffer): string {
  const half = base.length / 2;
  const mask = base.subarray(half);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const length = /^(1*)0*$/.exec(bits)?.[1]?.length;
  return `${ipText(base.subarray(0, half))}/${length ?? ipText(mask)}`;
}
