import { furtherSettings, type LoginMethod, requiredSetting, sendLogin } from "./method.ts";

const HELP = `
Usage: vsec login -method=jwt [CONFIG K=V...]

  Logs in with a signed identity token, such as a pipeline gets from GitHub
  Actions or GitLab CI. Keep it out of the argument list.

      $ vsec login -method=jwt role=ci jwt=- <<< "$CI_JOB_JWT"

Configuration:

  jwt=<string>
      The identity token. jwt=- reads it from standard input, jwt=@file
      from a file.

  role=<string>
      The role to log in to. Absent: the default role of the method.

  mount=<string>
      Where the method is mounted. The flag -path says the same.`;

export const jwtMethod: LoginMethod = {
  type: "jwt",
  help: HELP,
  authenticate(context, settings, mount) {
    const jwt = requiredSetting(settings, "jwt");
    return sendLogin(context, `auth/${mount}/login`, { ...furtherSettings(settings, "jwt", "mount"), jwt });
  },
};
