import { processIdentityOf } from "../base/processes.ts";
import { LABEL_CHARS_MAX, type LeasePurpose } from "./wire.ts";

/** The headers by which a request says whom its lease is for, in lower case. A Vault server takes no notice of them. */
export const OWNER_HEADER = "x-vsec-lease-owner";
export const LABEL_HEADER = "x-vsec-lease-label";

/** A purpose as headers: the owner is JSON. */
export function purposeHeaders({ owner, label }: LeasePurpose): Record<string, string> {
  return {
    ...(owner === undefined ? {} : { [OWNER_HEADER]: JSON.stringify(owner) }),
    ...(label === undefined ? {} : { [LABEL_HEADER]: label }),
  };
}

/** Reads the headers back. Undefined: there are none. @throws SyntaxError for what is not of their form. */
export function purposeOf(owner: string | undefined, label: string | undefined): LeasePurpose | undefined {
  if (owner === undefined && label === undefined) return undefined;
  if (label !== undefined && !isLabel(label)) throw new SyntaxError(`${LABEL_HEADER}: not a label`);
  const process = owner === undefined ? undefined : processIdentityOf(jsonOf(owner));
  if (process === null) throw new SyntaxError(`${OWNER_HEADER}: not a process`);
  return {
    ...(process === undefined ? {} : { owner: process }),
    ...(label === undefined ? {} : { label }),
  };
}

/** Whether a text can be a lease's label: printable ASCII, and not too long. */
export function isLabel(text: string): boolean {
  return text.length > 0 && text.length <= LABEL_CHARS_MAX && /^[\x20-\x7e]+$/.test(text);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
