import { badRequest, messageOf } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import { compileNameTemplate } from "../../framework/name-template.ts";
import { type ConnectionConfig, detail } from "./config.ts";
import type { DatabasePluginType } from "./plugin.ts";

/**
 * Chooses a user's name: by the connection's `username_template`, else the plugin's default, cut to what the server takes.
 * @throws ApiError 400 `invalid username template: …`.
 */
export function usernameFor(
  type: DatabasePluginType,
  config: ConnectionConfig,
  displayName: string,
  roleName: string,
  { random, clock }: Pick<MountContext, "random" | "clock">,
): string {
  const template = detail(config.details, "username_template");
  // Statements are filled in as plain text, so a quote in a display name would end the name and begin SQL.
  const safeName = displayName.replace(/[^\w.@-]/g, "-");
  const name =
    template === ""
      ? type.defaultUsername(safeName, roleName, random, clock.now())
      : runTemplate(template, safeName, roleName, { random, nowMs: clock.now() });
  const bytes = Buffer.from(name);
  // A template can put bytes of a wide character at the cut; what is left must still be text.
  return bytes.length <= type.usernameBytesMax
    ? name
    : bytes
        .subarray(0, type.usernameBytesMax)
        .toString("utf8")
        .replace(/\uFFFD+$/, "");
}

function runTemplate(
  template: string,
  displayName: string,
  roleName: string,
  context: { random: MountContext["random"]; nowMs: number },
): string {
  try {
    return compileNameTemplate(template).run({ DisplayName: displayName, RoleName: roleName }, context);
  } catch (error) {
    throw badRequest(`invalid username template: ${messageOf(error)}`, error);
  }
}
