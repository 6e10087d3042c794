import type { JsonObject } from "../../base/json.ts";
import { findVariable } from "../../contract/environment.ts";
import { bodyOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { remoteFailure } from "../failure.ts";
import { dataPath } from "../paths.ts";

/** The settings of a login, as `key=value` arguments gave them. */
export type LoginSettings = Readonly<Record<string, string>>;

/** One way to log in that the command line knows of. */
export interface LoginMethod {
  /** The auth method's type, and where it is mounted unless said otherwise. */
  readonly type: string;
  /** What `auth help` prints. */
  readonly help: string;
  /** True: a lone argument is the token, and is not parsed as a pair. */
  readonly takesToken?: boolean;
  /**
   * Logs in.
   * @param mount - Where the method is mounted, without slashes at its ends.
   * @returns The enveloped answer, with `auth`, or `wrap_info` where wrapping was asked for.
   * @throws CommandFailure (exit 2): `Error authenticating: …`
   */
  authenticate(context: CommandContext, settings: LoginSettings, mount: string): Promise<JsonObject>;
}

/** What stands before every failure of a login. */
export const LOGIN_PREFIX = "Error authenticating";

/** A login that was not even tried. */
export function loginRefused(reason: string): Error {
  return remoteFailure(`${LOGIN_PREFIX}: ${reason}`);
}

/** A setting that the method cannot do without. Blanks at its ends, as a file's last newline, are not part of it. */
export function requiredSetting(settings: LoginSettings, name: string): string {
  const value = settings[name]?.trim() ?? "";
  if (value === "") throw loginRefused(`'${name}' must be specified`);
  return value;
}

/** All settings but the named ones: what a method does not know, the API may, or it warns. */
export function furtherSettings(settings: LoginSettings, ...without: readonly string[]): LoginSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !without.includes(name)));
}

/** Sends a login, which needs no token and takes none along. */
export async function sendLogin(
  context: CommandContext,
  path: string,
  body: JsonObject,
): Promise<JsonObject> {
  const response = await context.send(
    { method: "PUT", path, body },
    { prefix: LOGIN_PREFIX, wrap: true, token: null },
  );
  return bodyOf(response) ?? {};
}

/** Where a method is mounted: the setting `mount`, else `-path`, else its own name. */
export function mountOf(method: LoginMethod, settings: LoginSettings, path: string | undefined): string {
  return dataPath(settings.mount || path || method.type);
}

/** The name under which a token is set in the environment, which wins over the stored one. */
export function overridingVariable(context: CommandContext): string | undefined {
  return findVariable(context.world.env, "VSEC_TOKEN")?.name;
}
