import { matchesGlob } from "../../../base/glob.ts";
import { isHostname, wildcardOf } from "./hostname.ts";
import type { Role } from "./role.ts";

/** The rules of a role that are about names. */
export type NameRules = Pick<
  Role,
  | "allow_any_name"
  | "allow_bare_domains"
  | "allow_glob_domains"
  | "allow_localhost"
  | "allow_subdomains"
  | "allow_wildcard_certificates"
  | "allowed_domains"
  | "cn_validations"
  | "enforce_hostnames"
>;

/** A name as the rules look at it. */
interface Name {
  readonly text: string;
  readonly isEmail: boolean;
  /** Of an address what follows the `@`; else the name itself. */
  readonly host: string;
  /** Of a wildcard what follows the first label. */
  readonly reduced: string | null;
}

const LOCAL = ["localhost", "localdomain"];

/**
 * Whether a role allows a name: a common name, a DNS name, an address. Pure; `allowed_domains` holds no templates any more.
 * @see reference: which names a role allows.
 */
export function isNameAllowed(rules: NameRules, text: string): boolean {
  const name = takeApart(rules, text);
  if (name === null) return false;
  if (rules.enforce_hostnames && !isHostname(name.reduced ?? name.host)) return false;
  if (rules.enforce_hostnames && name.reduced !== null && !isHostname(name.text)) return false;
  if (rules.allow_any_name) return true;
  if (rules.allow_localhost && isLocal(rules, name)) return true;
  return rules.allowed_domains.some((domain) => domain !== "" && isWithin(rules, name, domain));
}

/** Null: no rule could allow it. */
function takeApart(rules: NameRules, text: string): Name | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these cut names short, or hide a part of them, where they are shown.
  if (text === "" || /[\x00-\x1f\x7f]/.test(text)) return null;
  const [local = "", domain, ...more] = text.split("@");
  if (more.length > 0) return null;
  const isEmail = domain !== undefined;
  if (isEmail && (local === "" || domain === "" || !/^[\x21-\x7e]+$/.test(local))) return null;
  if (!text.includes("*")) return { text, isEmail, host: domain ?? text, reduced: null };
  const wildcard = isEmail || !rules.allow_wildcard_certificates ? null : wildcardOf(text);
  return wildcard === null ? null : { text, isEmail, host: text, reduced: wildcard.reduced };
}

function isLocal({ allow_subdomains }: NameRules, { host }: Name): boolean {
  const lower = host.toLowerCase();
  return LOCAL.some((name) => lower === name || (allow_subdomains && lower.endsWith(`.${name}`)));
}

function isWithin(rules: NameRules, { text, isEmail, host, reduced }: Name, allowed: string): boolean {
  const domain = allowed.toLowerCase();
  const lower = host.toLowerCase();
  const whole = text.toLowerCase();
  if (rules.allow_bare_domains && (whole === domain || (isEmail && lower === domain))) return true;
  if (rules.allow_subdomains && (lower.endsWith(`.${domain}`) || reduced?.toLowerCase() === domain))
    return true;
  return rules.allow_glob_domains && domain.includes("*") && matchesGlob(domain, whole);
}

/** As {@link isNameAllowed}, of a common name, which has forms of its own. */
export function isCommonNameAllowed(rules: NameRules, name: string): boolean {
  const { cn_validations: forms } = rules;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these cut names short, or hide a part of them, where they are shown.
  if (forms.length === 1 && forms[0] === "disabled") return !/[\x00-\x1f\x7f]/.test(name);
  if (!isNameAllowed(rules, name)) return false;
  return forms.length === 0 || forms.includes(name.includes("@") ? "email" : "hostname");
}
