import type { CommandContext } from "../command-context.ts";
import {
  furtherSettings,
  type LoginMethod,
  type LoginSettings,
  loginRefused,
  requiredSetting,
  sendLogin,
} from "./method.ts";

const HELP = `
Usage: vsec login -method=userpass [CONFIG K=V...]

  Logs in with a user name and a password. Without a password it is asked for
  on the terminal; "password=-" reads it from standard input.

      $ vsec login -method=userpass username=ada

Configuration:

  username=<string>
      The user.

  password=<string>
      The password. As password=@file it comes from a file. A last newline
      is part of it, as in Vault.

  mount=<string>
      Where the method is mounted. The flag -path says the same.`;

async function passwordFrom(context: CommandContext, settings: LoginSettings): Promise<string> {
  if (settings.password !== undefined) return settings.password;
  const { world, options } = context;
  const typed = options.nonInteractive ? null : await world.promptHidden("Password (will be hidden): ");
  if (typed === null)
    throw loginRefused("'password' must be specified where there is no terminal to ask for it on");
  return typed;
}

export const userpassMethod: LoginMethod = {
  type: "userpass",
  help: HELP,
  async authenticate(context, settings, mount) {
    const username = requiredSetting(settings, "username");
    const password = await passwordFrom(context, settings);
    const further = furtherSettings(settings, "username", "password", "mount");
    return sendLogin(context, `auth/${mount}/login/${username}`, { ...further, password });
  },
};
