import { isIP } from "node:net";
import { domainToASCII } from "node:url";

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
/** A left-most label with one wildcard: `*`, `*x`, `x*`, `x*y`. */
const WILD_LABEL = /^(?:[A-Za-z0-9-]*\*[A-Za-z0-9-]*)$/;
const LABEL_CHARS_MAX = 63;
const NAME_CHARS_MAX = 253;

/** The name in ASCII (IDNA), wildcards kept; null: it has no such form. Names in ASCII stay as they are. */
export function asciiName(name: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is refused is exactly what is not printable.
  if (/[\x00-\x20\x7f]/.test(name)) return null;
  if (/^[\x21-\x7e]*$/.test(name)) return name;
  const labels = name.split(/[.\u3002\uff0e\uff61]/);
  const ascii = labels.map((label) => (/^[\x21-\x7e]*$/.test(label) ? label : domainToASCII(label)));
  // What maps to several labels, or to nothing, was not the label that people saw.
  const isGood = ascii.every((label, index) => label !== "" || labels[index] === "");
  return isGood && ascii.every((label) => !label.includes(".")) ? ascii.join(".") : null;
}

/** A host name: labels of letters, digits and inner hyphens; the first may hold a wildcard; a dot may end it. */
export function isHostname(name: string): boolean {
  const ascii = asciiName(name);
  if (ascii === null || ascii.length > NAME_CHARS_MAX + 1) return false;
  const labels = (ascii.endsWith(".") ? ascii.slice(0, -1) : ascii).split(".");
  if (labels.some((label) => label.length > LABEL_CHARS_MAX)) return false;
  const [first = "", ...rest] = labels;
  const isFirstGood = LABEL.test(first) || (rest.length > 0 && isWildLabel(first));
  return isFirstGood && rest.every((label) => LABEL.test(label));
}

/** Labels that other names are made of as well, such as `_sip`: for roles that do not insist on host names. */
export function isLooseName(name: string): boolean {
  const ascii = asciiName(name);
  return ascii !== null && ascii.length <= NAME_CHARS_MAX && /^[A-Za-z0-9_.*-]+$/.test(ascii);
}

function isWildLabel(label: string): boolean {
  return WILD_LABEL.test(label) && !label.startsWith("-") && !label.endsWith("-");
}

/** A wildcard name, taken apart. */
export interface Wildcard {
  /** What follows the first label: `example.com` of `*.example.com`. */
  readonly reduced: string;
}

/** Null: the wildcard stands where none may: not alone, not in the first label, or in a name of one label (RFC 6125 section 6.4.3). */
export function wildcardOf(name: string): Wildcard | null {
  const [first = "", ...rest] = name.split(".");
  const isAlone = name.indexOf("*") === name.lastIndexOf("*");
  if (!isAlone || !isWildLabel(first) || rest.length === 0) return null;
  return { reduced: rest.join(".") };
}

/** Whether a name is an IP address, which has a kind of alternative name of its own. */
export function isAddress(name: string): boolean {
  return isIP(name) !== 0;
}
