import { badRequest } from "../../base/errors.ts";
import type { EngineRequest } from "../../framework/backend.ts";
import type { Fields } from "../../framework/field.ts";
import { type CaRole, listOf } from "./role.ts";

/** Who asks, and what of the role's own values the request leaves in use. */
interface Asking extends Pick<EngineRequest<Fields>, "fillTemplate"> {
  readonly namesPrincipals: boolean;
  readonly namesExtensions: boolean;
}

/**
 * The role with its templates filled by the caller's identity. What cannot be filled allows nothing.
 * @throws ApiError 400 for a default user or extension that would be used and cannot be filled.
 * @see reference: SSH, role parameters.
 */
export async function filledRole(role: CaRole, asking: Asking): Promise<CaRole> {
  const { templates } = role;
  const allowed = async (text: string, isTemplate: boolean): Promise<string> => {
    if (!isTemplate) return text;
    const filled = await Promise.all(listOf(text).map((part) => fill(asking, part)));
    return filled.filter((part) => part !== null).join(",");
  };
  const required = async (text: string): Promise<string> => {
    const filled = await fill(asking, text);
    if (filled === null) throw badRequest(`template '${text}' could not be rendered`);
    return filled;
  };
  const usesDefaultUser = templates.defaultUser && !asking.namesPrincipals;
  const usesDefaultExtensions = templates.defaultExtensions && !asking.namesExtensions;
  return {
    ...role,
    allowedUsers: await allowed(role.allowedUsers, templates.allowedUsers),
    allowedDomains: await allowed(role.allowedDomains, templates.allowedDomains),
    defaultUser: usesDefaultUser ? await required(role.defaultUser) : role.defaultUser,
    defaultExtensions: usesDefaultExtensions
      ? await eachFilled(role.defaultExtensions, required)
      : role.defaultExtensions,
  };
}

/** Null also where the caller's part holds a comma: one name must not become several. */
async function fill({ fillTemplate }: Asking, text: string): Promise<string | null> {
  const filled = await fillTemplate(text);
  return filled !== text && filled?.includes(",") ? null : filled;
}

async function eachFilled(
  texts: Readonly<Record<string, string>>,
  fillOne: (text: string) => Promise<string>,
): Promise<Readonly<Record<string, string>>> {
  const pairs = Object.entries(texts).map(async ([name, text]) => [name, await fillOne(text)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}
