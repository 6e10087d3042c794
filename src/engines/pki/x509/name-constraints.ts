import {
  type Asn1,
  bytesOf,
  fromDer,
  isTagged,
  partsOf,
  sequence,
  sequenceParts,
  tagged,
  toDer,
} from "./asn1.ts";
import type { Extension } from "./extensions.ts";
import { type GeneralName, readGeneralName } from "./general-names.ts";
import { OID } from "./oids.ts";

/** A part of a space of names. */
export interface Subtree {
  readonly base: GeneralName;
  /** It is bounded by distances from its base, which RFC 5280 forbids, and whose meaning nobody knows. */
  readonly isBounded: boolean;
}

/** The names that a CA may, and may not, issue for. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

// Tags of the two lists, and of a subtree's distances (RFC 5280 section 4.2.1.10).
const PERMITTED = 0;
const EXCLUDED = 1;
const MINIMUM = 0;
const MAXIMUM = 1;

/** The extension, critical as it has to be. @param permitted - Each a GeneralName, as `excluded` are. */
export function nameConstraints(permitted: readonly Asn1[], excluded: readonly Asn1[]): Extension {
  const subtrees = (number: number, names: readonly Asn1[]): readonly Asn1[] =>
    names.length === 0 ? [] : [tagged(number, ...names.map((name) => sequence(name)))];
  const lists = sequence(...subtrees(PERMITTED, permitted), ...subtrees(EXCLUDED, excluded));
  return { oid: OID.nameConstraints, critical: true, value: toDer(lists) };
}

/** Reads the extension's value. @throws DerError */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const lists = sequenceParts(fromDer(value), "name constraints");
  const subtrees = (number: number): readonly Subtree[] =>
    lists
      .filter((list) => isTagged(list, number))
      .flatMap((list) => partsOf(list, "name constraints").map(readSubtree));
  return { permitted: subtrees(PERMITTED), excluded: subtrees(EXCLUDED) };
}

function readSubtree(node: Asn1): Subtree {
  const [base, ...distances] = sequenceParts(node, "name constraints");
  if (base === undefined) partsOf(undefined, "name constraints");
  return { base: readGeneralName(base as Asn1), isBounded: distances.some(isBound) };
}

/** A minimum of 0 is the default, and says nothing. */
function isBound(distance: Asn1): boolean {
  if (isTagged(distance, MAXIMUM)) return true;
  return isTagged(distance, MINIMUM) && bytesOf(distance, "name constraints").some((byte) => byte !== 0);
}
