import { badRequest } from "../../base/errors.ts";
import type { TotpKey } from "./key.ts";

/** What a key's URL says; what it does not is undefined. */
export interface UrlParts {
  readonly issuer: string;
  readonly accountName: string;
  readonly secret: string;
  readonly algorithm: string | undefined;
  readonly digits: number | undefined;
  readonly periodSeconds: number | undefined;
}

/** The URL that authenticator apps read: `otpauth://totp/Issuer:Account?…`. @see Google Authenticator, key URI format */
export function keyUrl({ issuer, accountName, algorithm, digits, periodSeconds, secret }: TotpKey): string {
  const query = new URLSearchParams([
    ["algorithm", algorithm],
    ["digits", String(digits)],
    ["issuer", issuer],
    ["period", String(periodSeconds)],
    ["secret", secret],
  ]);
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(accountName)}`;
  // Apps take a plus sign in a name for itself.
  return `otpauth://totp/${label}?${query.toString().replaceAll("+", "%20")}`;
}

/** @throws ApiError 400 */
export function parseKeyUrl(text: string): UrlParts {
  const unreadable = badRequest("an error occurred while parsing url string");
  if (!URL.canParse(text)) throw unreadable;
  const url = new URL(text);
  let label: string;
  try {
    // With a scheme that it does not know, the parser keeps the host apart or leaves it in the path.
    label = decodeURIComponent(url.pathname.replace(/^\/*(?:totp\/)?/, ""));
  } catch {
    throw unreadable;
  }
  const colon = label.indexOf(":");
  const number = (name: string): number | undefined => {
    const value = url.searchParams.get(name);
    if (value === null) return undefined;
    if (!/^\d{1,9}$/.test(value)) throw badRequest(`an error occurred while parsing ${name} value in url`);
    return Number(value);
  };
  return {
    issuer: url.searchParams.get("issuer") ?? (colon === -1 ? "" : label.slice(0, colon)),
    accountName: label.slice(colon + 1).trim(),
    secret: url.searchParams.get("secret") ?? "",
    algorithm: url.searchParams.get("algorithm") ?? undefined,
    digits: number("digits"),
    periodSeconds: number("period"),
  };
}
