import { badRequest, messageOf } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import { compileNameTemplate } from "../../framework/name-template.ts";
import { type ConnectionConfig, detail } from "./config.ts";
import type { DatabasePluginType } from "./plugin.ts";

/**
 * Chooses a user's name: by the connection's `username_template`, else the plugin's default, cut to what the server takes.
 * @throws ApiError 400 `unable to initialize username template: …`, `invalid username template: …`.
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
  const data = { DisplayName: displayName, RoleName: roleName };
  const compiled = inWords("unable to initialize username template", () => compileNameTemplate(template));
  return inWords("invalid username template", () => compiled.run(data, context));
}

/** @throws ApiError 400 with Vault's text before the error's. */
function inWords<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw badRequest(`${what}: ${messageOf(error)}`, error);
  }
}

/** Letters that a fixed beginning must have at least, to be told from other users' names. */
const MARK_CHARS_MIN = 3;

/**
 * Which names {@link usernameFor} could have built for this connection.
 * @throws ApiError 400 where they cannot be told from others: a template without a fixed beginning.
 */
export function usernameMark(
  type: DatabasePluginType,
  config: ConnectionConfig,
  context: Pick<MountContext, "random" | "clock">,
): RegExp {
  if (detail(config.details, "username_template") === "" && type.usernameMark !== undefined) {
    return type.usernameMark;
  }
  const [first, second] = [
    usernameFor(type, config, "Aa0", "Bb1", context),
    usernameFor(type, config, "yZ9", "xY8", context),
  ];
  let length = 0;
  while (length < first.length && first[length] === second[length]) length += 1;
  if (length < MARK_CHARS_MIN) {
    throw badRequest(
      `username_template gives names without a fixed beginning of ${MARK_CHARS_MIN} characters, by which they could be told from others`,
    );
  }
  return new RegExp(`^${first.slice(0, length).replace(/[^\w-]/g, "\\$&")}`);
}
