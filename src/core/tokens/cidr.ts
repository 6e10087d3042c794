import { isIP } from "node:net";
import { badRequest } from "../../base/errors.ts";

/** A block of addresses: the bits of its first address and how many of them count. */
interface Block {
  readonly bits: bigint;
  readonly width: 32 | 128;
  readonly prefix: number;
}

const BLOCKS_MAX = 1000;

/** Brings a list of blocks into its stored form. A bare address is a block of one. @throws ApiError 400 naming the first that is none. */
export function readCidrs(texts: readonly string[]): readonly string[] {
  if (texts.length > BLOCKS_MAX) throw badRequest(`more than ${BLOCKS_MAX} bound CIDRs`);
  const blocks = texts.map((text) => text.trim()).filter((text) => text !== "");
  for (const text of blocks) {
    if (parseBlock(text) === null) throw badRequest(`error parsing address ${JSON.stringify(text)}`);
  }
  return blocks;
}

/**
 * Whether a caller may use what is bound to these blocks; an empty list binds nothing.
 * @param remoteAddress - Null: a caller on this machine without an address, which counts as the loopback's.
 */
export function isWithinCidrs(cidrs: readonly string[], remoteAddress: string | null): boolean {
  if (cidrs.length === 0) return true;
  const addresses = remoteAddress === null ? ["127.0.0.1", "::1"] : [remoteAddress];
  const callers = addresses.map((address) => parseAddress(address)).filter((address) => address !== null);
  return cidrs.some((text) => {
    const block = parseBlock(text);
    return block !== null && callers.some((caller) => contains(block, caller));
  });
}

function contains(block: Block, address: Block): boolean {
  if (block.width !== address.width) return false;
  const rest = BigInt(block.width - block.prefix);
  return block.bits >> rest === address.bits >> rest;
}

function parseBlock(text: string): Block | null {
  const [address = "", prefix, ...more] = text.split("/");
  const parsed = parseAddress(address);
  if (parsed === null || more.length > 0) return null;
  if (prefix === undefined) return parsed;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > parsed.width) return null;
  return { ...parsed, prefix: Number(prefix) };
}

/** Null: no address. An IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2) is the IPv4 address. */
function parseAddress(text: string): Block | null {
  const address = text.replace(/%.*$/, "");
  switch (isIP(address)) {
    case 4:
      return { bits: bitsOf(address.split(".").map(Number), 8n), width: 32, prefix: 32 };
    case 6:
      return unmapped(bitsOf(groupsOf(address), 16n));
    default:
      return null;
  }
}

function unmapped(bits: bigint): Block {
  if (bits >> 32n === 0xffffn) return { bits: bits & 0xffffffffn, width: 32, prefix: 32 };
  return { bits, width: 128, prefix: 128 };
}

function bitsOf(parts: readonly number[], size: bigint): bigint {
  return parts.reduce((bits, part) => (bits << size) | BigInt(part), 0n);
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null ? address : `${dotted[1]}${pairOf(dotted[2], dotted[3])}:${pairOf(dotted[4], dotted[5])}`;
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...(tail === undefined ? [] : zeros), ...after].map((group) =>
    Number.parseInt(group, 16),
  );
}

function pairOf(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}
