import { isIP } from "node:net";
import { hostProblem, isPlain, textOf } from "./dns.ts";
import type { NameForm } from "./form.ts";

/** URIs: a constraint is for the host, exactly; with a dot before it, for all hosts below. */
export const URI_FORM: NameForm = {
  label: "URI",
  show: (bytes) => textOf(bytes),
  isBase: isPlain,
  problemOf: (name) => uriProblem(textOf(name)),
  permits: (base, name) => isWithin(textOf(base), hostOf(textOf(name)) ?? ""),
  excludes: (base, name) => {
    const host = hostOf(textOf(name));
    return host === null || base.length === 0 || isWithin(textOf(base).replace(/\.$/, ""), host);
  },
};

/** What stands between `//` and the path (RFC 3986 section 3.2); null: there is no such part. */
function authorityOf(uri: string): string | null {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1] ?? null;
}

/** The host, without a port; null: the URI has none. */
function hostOf(uri: string): string | null {
  return authorityOf(uri)?.replace(/:\d*$/, "") ?? null;
}

function uriProblem(uri: string): string | null {
  const authority = authorityOf(uri);
  const host = hostOf(uri);
  if (authority === null || host === null) return "it has no host";
  // Some take what is before the @ for the host.
  if (authority.includes("@")) return "it names a user";
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0 || isNumeric(host)) return "its host is an address";
  if (!/^[\w.-]+$/.test(host)) return "its host is not a host name";
  return hostProblem(host);
}

/** What ends in a number is an address to some, in one of its older forms. */
function isNumeric(host: string): boolean {
  return /(?:^|\.)(?:\d+|0[xX][0-9a-fA-F]*)$/.test(host);
}

function isWithin(base: string, name: string): boolean {
  const [domain, host] = [base.toLowerCase(), name.toLowerCase()];
  if (domain === "") return false;
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain;
}
