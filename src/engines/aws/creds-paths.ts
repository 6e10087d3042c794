import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type AwsMount, planCredential } from "./plan.ts";
import { NAME_WITH_AT } from "./role-paths.ts";

const FIELDS = {
  name: field.string({ description: "The role." }),
  ttl: field.duration({ description: "How long a token lives; by default as the role says, else an hour." }),
  role_arn: field.string({
    description: "Which of the role's role_arns to assume; needed where it has several.",
  }),
  role_session_name: field.string({ description: "The name of the assumed role's session." }),
  mfa_code: field.string({ description: "The code that the role's MFA device shows now.", sensitive: true }),
  wait: field.bool({
    description: "Answer a user's keys only once AWS was seen to take them five times in a row.",
  }),
};

/** `creds/:name` and `sts/:name`. @see reference: AWS creds and sts. */
export function credsPaths(mount: AwsMount): PathSpec[] {
  return [door(mount, "creds"), door(mount, "sts")];
}

function door(mount: AwsMount, name: "creds" | "sts"): PathSpec {
  const handler = async ({ values, displayName }: EngineRequest<typeof FIELDS>): Promise<Reply> => ({
    lease: await planCredential(mount, {
      roleName: values.name,
      displayName,
      door: name,
      ttlSeconds: values.ttl,
      roleArn: values.role_arn,
      sessionName: values.role_session_name,
      mfaCode: values.mfa_code,
      isProved: values.wait,
      processKey: null,
    }),
  });
  return path({
    pattern: `${name}/:name`,
    captures: { name: NAME_WITH_AT },
    fields: FIELDS,
    help: {
      synopsis: "Issue AWS credentials for a role, under a lease.",
      description:
        "A user is deleted when its lease ends. A token ends by itself, at the time that AWS was told when it was made; its " +
        "lease cannot be renewed, and revoking it does not end the token.",
    },
    operations: {
      read: { summary: "Issue credentials.", handler },
      update: { summary: "Issue credentials.", handler },
    },
  });
}
