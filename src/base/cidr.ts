import { BlockList, isIP } from "node:net";

/** An address block: an address, and how many of its first bits count. */
export interface Cidr {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly prefixBits: number;
}

/**
 * Reads an address block: `10.0.0.0/8`, `2001:db8::/32`, or a single address, which is a block of its own.
 * @returns Null for anything else, also for addresses with a zone (`fe80::1%eth0`).
 */
export function parseCidr(text: string): Cidr | null {
  const [address = "", bits, ...rest] = text.trim().split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return null;
  const bitsMax = version === 4 ? 32 : 128;
  const prefixBits = bits === undefined ? bitsMax : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(prefixBits <= bitsMax)) return null;
  return { address, family: version === 4 ? "ipv4" : "ipv6", prefixBits };
}

const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Whether an address lies in one of the blocks. An IPv4 address that came as an IPv6 one (`::ffff:10.0.0.1`) counts as IPv4.
 * @param address - Null: the caller is on this machine and has none; it counts as the loopback's.
 * @param blocks - Texts that {@link parseCidr} takes; others match nothing.
 */
export function isAddressIn(address: string | null, blocks: readonly string[]): boolean {
  const own = (address === null ? LOOPBACK : [address])
    .filter((text) => !text.includes("/"))
    .map(parseCidr)
    .filter((cidr) => cidr !== null);
  return blocks.some((text) => {
    const block = parseCidr(text);
    return block !== null && own.some((one) => contains(block, one));
  });
}

/** Whether every block lies within one of `outer`. */
export function areCidrsWithin(blocks: readonly string[], outer: readonly string[]): boolean {
  const outers = outer.map(parseCidr).filter((cidr) => cidr !== null);
  return blocks.every((text) => {
    const block = parseCidr(text);
    if (block === null) return false;
    return outers.some(
      (other) =>
        other.family === block.family && other.prefixBits <= block.prefixBits && contains(other, block),
    );
  });
}

/** IPv4 addresses in IPv6 clothes, RFC 4291 section 2.5.5.2: they are in blocks of IPv4 addresses only. */
const MAPPED: Cidr = { address: "::ffff:0:0", family: "ipv6", prefixBits: 96 };

function contains(block: Cidr, own: Pick<Cidr, "address" | "family">): boolean {
  if (block.family === "ipv6" && (own.family === "ipv4" || isInBits(MAPPED, own))) return false;
  return isInBits(block, own);
}

function isInBits(block: Cidr, { address, family }: Pick<Cidr, "address" | "family">): boolean {
  const list = new BlockList();
  list.addSubnet(block.address, block.prefixBits, block.family);
  return list.check(address, family);
}
