import { furtherSettings, type LoginMethod, requiredSetting, sendLogin } from "./method.ts";

const HELP = `
Usage: vsec login -method=approle [CONFIG K=V...]

  Logs in as a machine: with the id of its role, and a secret id that was
  made for it. Keep the secret id out of the argument list.

      $ vsec login -method=approle role_id=59d6d1ca secret_id=@/run/secrets/id

Configuration:

  role_id=<string>
      The id of the role.

  secret_id=<string>
      The secret id. Not needed where the role does not ask for one.

  mount=<string>
      Where the method is mounted. The flag -path says the same.`;

export const approleMethod: LoginMethod = {
  type: "approle",
  help: HELP,
  authenticate(context, settings, mount) {
    const role_id = requiredSetting(settings, "role_id");
    const secret_id = settings.secret_id?.trim();
    return sendLogin(context, `auth/${mount}/login`, {
      ...furtherSettings(settings, "role_id", "secret_id", "mount"),
      role_id,
      ...(secret_id === undefined ? {} : { secret_id }),
    });
  },
};
