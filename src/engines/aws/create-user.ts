import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetUserCommand,
  type IAMClient,
  PutUserPolicyCommand,
  type Tag,
} from "@aws-sdk/client-iam";
import type { Clock } from "../../base/clock.ts";
import { VsecError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { AwsKeys } from "./clients.ts";
import { attemptsOf, awsRefusal, errorName, isMissing, isRefused } from "./errors.ts";
import type { Role } from "./role.ts";

export interface NewUser {
  readonly username: string;
  /** The inline policy is named like it. */
  readonly roleName: string;
  readonly role: Role;
  /** Whether nobody else can have chosen the name. */
  readonly isNameUnique: boolean;
}

/** The end of a creation before it began: there is nothing that would have to be revoked. */
export class NeverCreated extends VsecError {
  readonly refusal: Error;

  constructor(refusal: Error) {
    super("BACKEND", refusal.message, { cause: refusal });
    this.refusal = refusal;
  }
}

/** AWS may not know its new user yet when the next request comes to another server: it is asked so often, with pauses. */
const SHOWN_LOOKS_MAX = 5;
const SHOWN_PAUSE_MS = 1000;

/**
 * Makes a user with its policies and groups, and last of all its key, so that a key never works before its rights are
 * bounded as the role says.
 * @param signal - Ends requests and the pauses between attempts.
 * @throws NeverCreated when AWS refused the user itself; ApiError for anything else, after which something may be left.
 */
export async function createUser(
  iam: IAMClient,
  user: NewUser,
  clock: Clock,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const { username: UserName, role, roleName } = user;
  const options = { abortSignal: signal };
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    for (let look = 1; ; look += 1) {
      try {
        return await work();
      } catch (error) {
        const isLate = isMissing(error) && look < SHOWN_LOOKS_MAX && !(await isShown(iam, UserName));
        if (!isLate) throw awsRefusal(`Error ${what}`, error);
        await clock.sleep(SHOWN_PAUSE_MS, signal);
      }
    }
  };
  await makeUser(iam, user, signal);
  failpoint("aws:user-created");
  for (const PolicyArn of role.policyArns) {
    await step("attaching user policy", () =>
      iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }), options),
    );
  }
  if (role.policyDocument !== "") {
    const input = { UserName, PolicyName: roleName, PolicyDocument: role.policyDocument };
    await step("putting user policy", () => iam.send(new PutUserPolicyCommand(input), options));
  }
  for (const GroupName of role.iamGroups) {
    await step("adding user to group", () =>
      iam.send(new AddUserToGroupCommand({ UserName, GroupName }), options),
    );
  }
  failpoint("aws:user-equipped");
  const { AccessKey: key } = await step("creating access keys", () =>
    iam.send(new CreateAccessKeyCommand({ UserName }), options),
  );
  failpoint("aws:key-created");
  if (key?.AccessKeyId === undefined || key.SecretAccessKey === undefined) {
    throw new VsecError("BACKEND", `AWS answered without an access key for ${UserName}`);
  }
  return { accessKey: key.AccessKeyId, secretKey: key.SecretAccessKey };
}

async function makeUser(iam: IAMClient, user: NewUser, abortSignal: AbortSignal): Promise<void> {
  const { username: UserName, role } = user;
  const tags = Object.entries(role.iamTags).map(([Key, Value]): Tag => ({ Key, Value }));
  const command = new CreateUserCommand({
    UserName,
    Path: role.userPath || "/",
    ...(role.permissionsBoundaryArn === "" ? {} : { PermissionsBoundary: role.permissionsBoundaryArn }),
    ...(tags.length === 0 ? {} : { Tags: tags }),
  });
  await iam.config.credentials().catch((error: unknown) => {
    // Nothing was sent that would have to be looked for.
    throw new NeverCreated(awsRefusal("Error creating IAM user", error));
  });
  try {
    await iam.send(command, { abortSignal });
  } catch (error) {
    // An attempt whose answer was lost has made it: nobody else can have a name with chance in it.
    const isOurs = errorName(error) === "EntityAlreadyExists" && attemptsOf(error) > 1 && user.isNameUnique;
    if (isOurs) return;
    const refusal = awsRefusal("Error creating IAM user", error);
    throw isRefused(error) ? new NeverCreated(refusal) : refusal;
  }
}

/** Whether AWS shows a user; if it does not say, what is missing may be something else, and so it counts as shown. */
async function isShown(iam: IAMClient, username: string): Promise<boolean> {
  return userExists(iam, username).catch(() => true);
}

/** Whether a user of this name exists, as far as AWS can see now. @throws ApiError when AWS does not say. */
export async function userExists(iam: IAMClient, username: string): Promise<boolean> {
  try {
    await iam.send(new GetUserCommand({ UserName: username }));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw awsRefusal("Error looking for the IAM user", error);
  }
}
