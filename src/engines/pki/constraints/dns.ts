import { matchesGlob } from "../../../base/glob.ts";
import type { NameForm } from "./form.ts";

/**
 * DNS names: a constraint holds for itself and all that is below it; with a dot before it, as many write it though the
 * standard has it for other kinds only, for what is below alone.
 */
export const DNS_FORM: NameForm = {
  label: "DNS name",
  show: (bytes) => textOf(bytes),
  isBase: isPlain,
  problemOf: (name) => hostProblem(textOf(name)),
  permits: (base, name) => isBelow(textOf(base), textOf(name)),
  excludes: (base, name) => mayBeBelow(textOf(base), textOf(name)),
};

/** The characters as they stand in the certificate. */
export function textOf(bytes: Buffer): string {
  return bytes.toString("latin1");
}

/** Whether a constraint is made of characters that can be seen; none at all is one, too. */
export function isPlain(base: Buffer): boolean {
  return /^[\x21-\x7e]*$/.test(textOf(base));
}

/** Why verifiers may read a host in different ways; null: they do not. */
export function hostProblem(host: string): string | null {
  if (!/^[\x21-\x7e]+$/.test(host)) return "it is not made of printable ASCII";
  // Some take a dot at the end off, some compare with it, some refuse the name.
  if (host.endsWith(".")) return "it ends with a dot";
  return host.split(".").includes("") ? "one of its labels is empty" : null;
}

function isBelow(base: string, name: string): boolean {
  if (base === "") return true;
  const [domain, host] = [base.toLowerCase(), name.toLowerCase()];
  return host === domain || host.endsWith(domain.startsWith(".") ? domain : `.${domain}`);
}

/** As {@link isBelow}, of any of the names that a wildcard stands for. */
function mayBeBelow(base: string, name: string): boolean {
  const domain = labelsOf(base.replace(/^\.|\.$/g, ""));
  const host = labelsOf(name);
  const isProper = base.startsWith(".");
  if (host.length < domain.length + (isProper ? 1 : 0)) return false;
  const tail = host.slice(host.length - domain.length);
  return domain.every((label, index) => matchesGlob(tail[index] ?? "", label));
}

function labelsOf(name: string): readonly string[] {
  return name === "" ? [] : name.toLowerCase().split(".");
}
