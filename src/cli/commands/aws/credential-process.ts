import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] ROLE",
  description: `
Prints credentials of a role in the form that the AWS command line and SDKs expect of a credential_process. The same credentials are printed until shortly before they expire; they are kept encrypted in the store.

In ~/.aws/config:

    [profile deploy]
    credential_process = vsec aws credential-process -non-interactive deploy

ROLE is the name of a role of the aws engine.`,
  flags: {
    mount: { kind: "string", text: 'The path of the engine. Default "aws".' },
    ttl: { kind: "duration", text: "How long a new token lives." },
    "role-arn": { kind: "string", text: "Which of the role's role_arns to assume." },
    "role-session-name": { kind: "string", text: "The name of a new session." },
  },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [role = ""]) {
    const query = {
      ...(flags.ttl === undefined ? {} : { ttl: flags.ttl }),
      ...(flags["role-arn"] === undefined ? {} : { role_arn: flags["role-arn"] }),
      ...(flags["role-session-name"] === undefined ? {} : { role_session_name: flags["role-session-name"] }),
    };
    const path = `${dataPath(flags.mount ?? "aws")}/credential-process/${dataPath(role)}`;
    const response = await context.send({ method: "GET", path, query }, { prefix: `Error reading ${path}` });
    const { access_key, secret_key, session_token, expiration } = dataOf(response);
    const printed = {
      Version: 1,
      AccessKeyId: access_key ?? null,
      SecretAccessKey: secret_key ?? null,
      ...(typeof session_token === "string" ? { SessionToken: session_token } : {}),
      Expiration: expiration ?? null,
    };
    return answer({ show: "text", text: JSON.stringify(printed), data: printed, compact: true });
  },
});
