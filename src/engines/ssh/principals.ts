import { badRequest } from "../../base/errors.ts";
import { type CaRole, listOf } from "./role.ts";

/**
 * The principals of a certificate.
 * @param asked - With commas; empty: the role's default user, of user certificates.
 * @throws ApiError 400 for one that the role does not allow, and for none where it does not allow that.
 * @see reference: SSH, signing rules.
 */
export function principalsFor(role: CaRole, type: "user" | "host", asked: string): readonly string[] {
  const wanted = listOf(asked === "" && type === "user" ? role.defaultUser : asked);
  const allowedText = type === "user" ? role.allowedUsers : role.allowedDomains;
  const allowed = listOf(allowedText);
  const isAnyAllowed = allowed.includes("*");
  if (wanted.length === 0) {
    if (role.allowEmptyPrincipals || isAnyAllowed) return [];
    throw badRequest(
      "refusing to issue unsafe, globally-valid certificate with no principals specified; set valid_principals or default_user",
    );
  }
  if (isAnyAllowed) return wanted;
  if (allowed.length === 0) throw badRequest("role is not configured to allow any principals");
  const isAllowed = (name: string): boolean =>
    type === "user" ? allowed.includes(name) : allowed.some((domain) => isHostOf(role, name, domain));
  const refused = wanted.find((name) => !isAllowed(name));
  if (refused !== undefined) throw badRequest(`${refused} is not a valid value for valid_principals`);
  return wanted;
}

function isHostOf(role: CaRole, name: string, domain: string): boolean {
  if (role.allowBareDomains && name === domain) return true;
  return role.allowSubdomains && name.endsWith(`.${domain}`) && name.length > domain.length + 1;
}
