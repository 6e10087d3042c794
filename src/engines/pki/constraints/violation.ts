import type { GeneralName } from "../x509/general-names.ts";
import type { NameConstraints, Subtree } from "../x509/name-constraints.ts";
import { DIRECTORY_FORM } from "./directory.ts";
import { DNS_FORM } from "./dns.ts";
import { EMAIL_FORM } from "./email.ts";
import type { NameForm } from "./form.ts";
import { IP_FORM } from "./ip.ts";
import { URI_FORM } from "./uri.ts";

const FORMS: ReadonlyMap<string, NameForm> = new Map([
  ["dns", DNS_FORM],
  ["email", EMAIL_FORM],
  ["uri", URI_FORM],
  ["ip", IP_FORM],
  ["directory", DIRECTORY_FORM],
]);

/** Kinds of names that there are few of, and constraints on which few can read: none of them is let through. */
const UNKNOWN_FORM: NameForm = {
  label: "name of another kind",
  show: (bytes) => bytes.toString("hex"),
  isBase: () => true,
  problemOf: () => "constraints on names of its kind are not understood",
  permits: () => false,
  excludes: () => true,
};

/** A mail address beyond ASCII, an otherName to which constraints on addresses apply (RFC 9598 section 6). */
const UTF8_MAILBOX = "other 1.3.6.1.5.5.7.8.9";

/** Listed in a message. */
const SHOWN_MAX = 5;

/** A name that a CA may not issue for. */
export interface Violation {
  /** The name and its kind. */
  readonly name: string;
  /** What is wrong with it, or which constraint it breaks. */
  readonly reason: string;
}

/** The first of the names that breaks the constraints. Null: none does. @see RFC 5280 section 4.2.1.10 */
export function violationOf(constraints: NameConstraints, names: readonly GeneralName[]): Violation | null {
  for (const name of names) {
    const reason = reasonAgainst(constraints, name);
    if (reason !== null) return { name: nameText(name), reason };
  }
  return null;
}

function reasonAgainst({ permitted, excluded }: NameConstraints, name: GeneralName): string | null {
  const kind = name.kind === UTF8_MAILBOX ? "email" : name.kind;
  const ofKind = (subtrees: readonly Subtree[]): readonly Subtree[] =>
    subtrees.filter(({ base }) => base.kind === kind);
  const [bounds, exceptions] = [ofKind(permitted), ofKind(excluded)];
  if (bounds.length + exceptions.length === 0) return null;
  const form = FORMS.get(name.kind) ?? UNKNOWN_FORM;
  const problem = form.problemOf(name.bytes);
  if (problem !== null) return problem;
  if ([...bounds, ...exceptions].some((it) => it.isBounded || !form.isBase(it.base.bytes))) {
    return "a constraint on names of its kind cannot be read";
  }
  const exception = exceptions.find((it) => form.excludes(it.base.bytes, name.bytes));
  if (exception !== undefined) return `${baseText(form, exception)} is excluded`;
  if (bounds.length === 0) return null;
  if (bounds.some((it) => form.permits(it.base.bytes, name.bytes))) return null;
  return `only ${listText(form, bounds)} ${bounds.length === 1 ? "is" : "are"} permitted`;
}

function nameText({ kind, bytes }: GeneralName): string {
  const { label, show } = FORMS.get(kind) ?? UNKNOWN_FORM;
  return `${label} ${JSON.stringify(show(bytes))}`;
}

function baseText({ show }: NameForm, { base }: Subtree): string {
  return base.bytes.length === 0 ? "any" : show(base.bytes);
}

function listText(form: NameForm, subtrees: readonly Subtree[]): string {
  const shown = subtrees.slice(0, SHOWN_MAX).map((it) => baseText(form, it));
  const more = subtrees.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
