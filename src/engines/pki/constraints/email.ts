import { hostProblem, isPlain, textOf } from "./dns.ts";
import type { NameForm } from "./form.ts";

/**
 * Mail addresses: a constraint is one mailbox, a host with all of its mailboxes, or with a dot before it all hosts below. That
 * of a mailbox compares the part before the @ as it is, since it is for that host to say what it means.
 */
export const EMAIL_FORM: NameForm = {
  label: "email address",
  show: (bytes) => textOf(bytes),
  isBase: isPlain,
  problemOf: (name) => {
    const mailbox = mailboxOf(textOf(name));
    return mailbox === null ? "it is not an address of a mailbox" : hostProblem(mailbox.host);
  },
  permits: (base, name) => isWithin(textOf(base), textOf(name)),
  excludes: (base, name) => mayBeWithin(textOf(base), textOf(name)),
};

interface Mailbox {
  /** What the part before the @ means, without its quotes. */
  readonly local: string;
  readonly host: string;
}

/** Atoms with dots between, or a quoted string (RFC 5321 section 4.1.2). */
const PLAIN = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)"$/;

/** Null: it is none that all read in the same way. */
function mailboxOf(address: string): Mailbox | null {
  const at = address.lastIndexOf("@");
  if (at < 1) return null;
  const local = address.slice(0, at);
  const host = address.slice(at + 1);
  if (PLAIN.test(local)) return { local, host };
  const quoted = QUOTED.exec(local)?.[1];
  return quoted === undefined ? null : { local: quoted.replace(/\\(.)/g, "$1"), host };
}

function isWithin(base: string, address: string): boolean {
  const at = address.lastIndexOf("@");
  const host = address.slice(at + 1).toLowerCase();
  const baseAt = base.lastIndexOf("@");
  const domain = base.slice(baseAt + 1).toLowerCase();
  if (domain === "") return false;
  if (baseAt > 0) return base.slice(0, baseAt) === address.slice(0, at) && domain === host;
  return baseAt < 0 && domain.startsWith(".") ? host.endsWith(domain) : host === domain;
}

/** As {@link isWithin}, by any who compare mailboxes more loosely, or take no host to be all hosts. */
function mayBeWithin(base: string, address: string): boolean {
  const mailbox = mailboxOf(address);
  if (base === "" || mailbox === null) return true;
  const host = mailbox.host.toLowerCase();
  const baseAt = base.lastIndexOf("@");
  const domain = base
    .slice(baseAt + 1)
    .toLowerCase()
    .replace(/\.$/, "");
  if (baseAt <= 0) return domain.startsWith(".") ? host.endsWith(domain) : host === domain;
  const local = mailboxOf(base)?.local ?? base.slice(0, baseAt);
  return host === domain && local.toLowerCase() === mailbox.local.toLowerCase();
}
