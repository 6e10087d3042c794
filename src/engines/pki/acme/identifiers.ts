import { isJsonObject, type Json } from "../../../base/json.ts";
import { ipBytes, ipText } from "../x509/ip.ts";
import { AcmeProblem } from "./problem.ts";

/** What a certificate is to be for (RFC 8555 section 7.1.4; RFC 8738 for addresses). */
export interface Identifier {
  readonly type: "dns" | "ip";
  /** A name in lower case, a wildcard's with its `*.`; an address in its usual form. */
  readonly value: string;
}

/** Names that one order may hold. */
const IDENTIFIERS_MAX = 100;
const NAME_CHARS_MAX = 253;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * Reads the identifiers of an order, each once.
 * @throws AcmeProblem for none, too many, an unknown type, or what is no name.
 */
export function readIdentifiers(value: Json | undefined): readonly Identifier[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > IDENTIFIERS_MAX)
    throw new AcmeProblem("malformed", `an order has 1 to ${IDENTIFIERS_MAX} identifiers`);
  const read = value.map(readIdentifier);
  return read.filter((one, index) => read.findIndex((other) => sameIdentifier(one, other)) === index);
}

export function sameIdentifier(one: Identifier, other: Identifier): boolean {
  return one.type === other.type && one.value === other.value;
}

function readIdentifier(item: Json): Identifier {
  const { type, value } = isJsonObject(item) ? item : { type: null, value: null };
  if (typeof value !== "string") throw new AcmeProblem("malformed", "an identifier has no value");
  if (type === "ip") return ipIdentifier(value);
  if (type === "dns") return dnsIdentifier(value);
  throw new AcmeProblem("unsupportedIdentifier", "identifiers are of type dns or ip");
}

function ipIdentifier(text: string): Identifier {
  const bytes = ipBytes(text);
  if (bytes === null) throw new AcmeProblem("malformed", `${quoted(text)} is not an IP address`);
  return { type: "ip", value: ipText(bytes) };
}

function dnsIdentifier(text: string): Identifier {
  const name = text.toLowerCase();
  if (ipBytes(name) !== null) throw new AcmeProblem("malformed", `${quoted(text)} is an address, not a name`);
  if (!isName(name)) throw new AcmeProblem("malformed", `${quoted(text)} is not a name that can be proven`);
  return { type: "dns", value: name };
}

/** A name in letters that DNS knows (others come as `xn--`), its first label possibly a wildcard. */
function isName(name: string): boolean {
  const base = name.startsWith("*.") ? name.slice(2) : name;
  const labels = base.split(".");
  // What ends in digits would be taken for an address by some.
  if (/^\d+$/.test(labels.at(-1) ?? "")) return false;
  return base.length <= NAME_CHARS_MAX && labels.every((label) => LABEL.test(label));
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
