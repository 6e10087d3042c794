import { DerError } from "../x509/asn1.ts";
import { nameText, rdnKeys } from "../x509/name.ts";
import type { NameForm } from "./form.ts";

/** Directory names: a constraint is how they begin. Case and runs of spaces do not matter (RFC 5280 section 7.1). */
export const DIRECTORY_FORM: NameForm = {
  label: "subject",
  show: nameText,
  isBase: (base) => keysOf(base) !== null,
  problemOf: (name) => (keysOf(name) === null ? "it is malformed" : null),
  permits: isWithin,
  excludes: isWithin,
};

function isWithin(base: Buffer, name: Buffer): boolean {
  const above = keysOf(base);
  const own = keysOf(name);
  return above !== null && own !== null && above.every((key, index) => key === own[index]);
}

/** Null: the name is malformed. */
function keysOf(name: Buffer): readonly string[] | null {
  try {
    return rdnKeys(name);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}
