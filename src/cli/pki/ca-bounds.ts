import type { X509Certificate } from "node:crypto";
import type { JsonObject } from "../../base/json.ts";
import { bytesOf, childrenOf, elementAt, extensionValue } from "./extension-bytes.ts";

// Extensions (RFC 5280 section 4.2.1), and tags in them.
const KEY_USAGE = "551d0f";
const BASIC_CONSTRAINTS = "551d13";
const NAME_CONSTRAINTS = "551d1e";
const INTEGER = 0x02;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;

/** Kinds of names that parameters can say. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x81, "email_addresses"],
  [0x82, "dns_domains"],
  [0x86, "uri_domains"],
  [0x87, "ip_ranges"],
]);

/** A bound of a CA that the parameters of its successor cannot say: to leave it out would widen what that one may do. */
export class UnknownBound extends SyntaxError {}

/**
 * The parameters that bind a CA as another one is bound: how many CAs may be below it, which names it may issue for, and what
 * for. @throws UnknownBound
 */
export function boundsOf({ raw, keyUsage }: X509Certificate): JsonObject {
  return {
    ...pathLength(extensionValue(raw, BASIC_CONSTRAINTS)),
    ...nameBounds(extensionValue(raw, NAME_CONSTRAINTS)),
    // What node:crypto calls so are the extended key usages.
    ...(keyUsage === undefined || keyUsage.length === 0 ? {} : { ext_key_usage_oids: keyUsage.join(",") }),
    ...(signs(extensionValue(raw, KEY_USAGE)) ? { key_usage: "DigitalSignature" } : {}),
  };
}

function pathLength(value: Buffer | undefined): JsonObject {
  const parts = value === undefined ? [] : childrenOf(value, elementAt(value, 0));
  const length = parts.find(({ tag }) => tag === INTEGER);
  if (value === undefined || length === undefined) return {};
  return { max_path_length: bytesOf(value, length).readUIntBE(0, Math.min(6, length.end - length.start)) };
}

/** Whether the first bit of a key usage is set: the key signs other things than certificates and CRLs, too. */
function signs(value: Buffer | undefined): boolean {
  return value !== undefined && ((value[3] ?? 0) & 0x80) !== 0;
}

function nameBounds(value: Buffer | undefined): JsonObject {
  if (value === undefined) return {};
  const found = new Map<string, string[]>();
  for (const list of childrenOf(value, elementAt(value, 0))) {
    const word = list.tag === PERMITTED ? "permitted" : list.tag === EXCLUDED ? "excluded" : null;
    for (const subtree of childrenOf(value, list)) {
      const [base, ...distances] = childrenOf(value, subtree);
      const kind = KINDS.get(base?.tag ?? 0);
      if (word === null || base === undefined || kind === undefined || distances.length > 0) {
        throw new UnknownBound("it has name constraints of a kind that no parameter says");
      }
      const bytes = bytesOf(value, base);
      const name = `${word}_${kind}`;
      found.set(name, [...(found.get(name) ?? []), kind === "ip_ranges" ? block(bytes) : text(bytes)]);
    }
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, values.join(",")]));
}

function text(bytes: Buffer): string {
  const value = bytes.toString("latin1");
  if (/^[\x21-\x2b\x2d-\x7e]+$/.test(value)) return value;
  throw new UnknownBound("it has a name constraint that no parameter says");
}

function block(bytes: Buffer): string {
  const half = bytes.length / 2;
  const mask = [...bytes.subarray(half)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const length = /^(1*)0*$/.exec(mask)?.[1]?.length;
  if ((half !== 4 && half !== 16) || length === undefined) {
    throw new UnknownBound("it has a block of addresses that no parameter says");
  }
  const address = bytes.subarray(0, half);
  const groups = half === 4 ? [...address].join(".") : address.toString("hex").match(/..../g)?.join(":");
  return `${groups}/${length}`;
}
