import {
  DeactivateMFADeviceCommand,
  DeleteAccessKeyCommand,
  DeleteLoginProfileCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteSigningCertificateCommand,
  DeleteSSHPublicKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetUserCommand,
  type IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListUserPoliciesCommand,
  RemoveUserFromGroupCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { VsecError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { attemptsOf, awsText, errorName, isMissing } from "./errors.ts";

/** Everything is asked for in one page: AWS allows a user fewer of each. */
const MaxItems = 1000;

/** What a user was given when it was made. */
export interface Equipment {
  readonly policyArns: readonly string[];
  /** The name of its inline policy; null: none. */
  readonly inlinePolicy: string | null;
  readonly groups: readonly string[];
}

/** What is known about a user that is to be deleted. */
export interface DoomedUser {
  readonly username: string;
  readonly equipment: Equipment;
  /** Older users of this name are somebody else's. Milliseconds since the epoch; null: nobody else can have the name. */
  readonly createdAfter: number | null;
}

/**
 * Deletes a user. Its keys go first, all that there are, so that whatever fails later, nothing can be done with them. What the
 * engine itself has attached goes next, without being asked for, since requests are what AWS is short of; and then the user.
 * Where AWS says that something else still hangs on it (a policy, a console password, an MFA device, certificates), all there
 * can be is cleared away, and the user goes after it. Each step can be repeated.
 * @returns False: there is no such user, as far as AWS can see now.
 * @throws VsecError BACKEND naming what stands in the way.
 */
export async function deleteUser(iam: IAMClient, doomed: DoomedUser): Promise<boolean> {
  const { username, createdAfter, equipment } = doomed;
  try {
    if (createdAfter !== null && !(await isOurs(iam, username, createdAfter))) return true;
    await deleteKeys(iam, username);
    failpoint("aws:keys-deleted");
    await takeBack(iam, username, equipment);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  failpoint("aws:user-detached");
  try {
    return await remove(iam, username);
  } catch (error) {
    if (errorName(error) !== "DeleteConflict") throw error;
    const problems = await clearEverything(iam, username);
    await detachAll(iam, username);
    return remove(iam, username).catch((last: unknown) => {
      throw new VsecError("BACKEND", [awsText(last), ...problems].join("; "), { cause: last });
    });
  }
}

/** @returns False: AWS does not show the user any more, though nobody here has deleted it. */
async function remove(iam: IAMClient, UserName: string): Promise<boolean> {
  try {
    await iam.send(new DeleteUserCommand({ UserName }));
    return true;
  } catch (error) {
    if (!isMissing(error)) throw error;
    // An attempt whose answer was lost has deleted it.
    return attemptsOf(error) > 1;
  }
}

async function ignoreMissing(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** @throws NoSuchEntity. */
async function isOurs(iam: IAMClient, UserName: string, createdAfter: number): Promise<boolean> {
  const { User: user } = await iam.send(new GetUserCommand({ UserName }));
  return (user?.CreateDate?.getTime() ?? 0) >= createdAfter;
}

/** One that cannot be deleted is at least switched off. @throws NoSuchEntity when there is no such user. */
async function deleteKeys(iam: IAMClient, UserName: string): Promise<void> {
  const { AccessKeyMetadata: keys = [] } = await iam.send(new ListAccessKeysCommand({ UserName, MaxItems }));
  for (const { AccessKeyId } of keys) {
    if (AccessKeyId === undefined) continue;
    try {
      await ignoreMissing(iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId })));
    } catch (error) {
      const off = new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: "Inactive" });
      // Why it cannot be deleted is the news; whether it could be switched off is seen in AWS.
      await iam.send(off).catch(() => undefined);
      throw error;
    }
  }
}

/** What was never given, or taken away by somebody else, is fine. */
async function takeBack(iam: IAMClient, UserName: string, equipment: Equipment): Promise<void> {
  const { inlinePolicy, policyArns, groups } = equipment;
  if (inlinePolicy !== null) await dropInline(iam, UserName, inlinePolicy);
  for (const arn of policyArns) await detach(iam, UserName, arn);
  for (const group of groups) await leave(iam, UserName, group);
}

function dropInline(iam: IAMClient, UserName: string, PolicyName: string | undefined): Promise<void> {
  return ignoreMissing(iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName })));
}

function detach(iam: IAMClient, UserName: string, PolicyArn: string | undefined): Promise<void> {
  return ignoreMissing(iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn })));
}

function leave(iam: IAMClient, UserName: string, GroupName: string | undefined): Promise<void> {
  return ignoreMissing(iam.send(new RemoveUserFromGroupCommand({ UserName, GroupName })));
}

/** Inline policies, attached policies and groups, whoever gave them. @throws NoSuchEntity when there is no such user. */
async function detachAll(iam: IAMClient, UserName: string): Promise<void> {
  const page = { UserName, MaxItems };
  const [inline, attached, groups] = await Promise.all([
    iam.send(new ListUserPoliciesCommand(page)),
    iam.send(new ListAttachedUserPoliciesCommand(page)),
    iam.send(new ListGroupsForUserCommand(page)),
  ]);
  for (const name of inline.PolicyNames ?? []) await dropInline(iam, UserName, name);
  for (const { PolicyArn } of attached.AttachedPolicies ?? []) await detach(iam, UserName, PolicyArn);
  for (const { GroupName } of groups.Groups ?? []) await leave(iam, UserName, GroupName);
}

/**
 * All that people and other tools can have given to a user. One step that fails (most often for want of a permission)
 * does not keep the others from being done: whether the user can go is AWS's answer in the end.
 * @returns What failed.
 */
async function clearEverything(iam: IAMClient, UserName: string): Promise<readonly string[]> {
  const page = { UserName, MaxItems };
  const problems: string[] = [];
  const clear = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isMissing(error)) problems.push(`${what}: ${awsText(error)}`);
    }
  };
  await clear("login profile", () => ignoreMissing(iam.send(new DeleteLoginProfileCommand({ UserName }))));
  await clear("access keys", () => deleteKeys(iam, UserName));
  await clear("MFA devices", async () => {
    const { MFADevices: devices = [] } = await iam.send(new ListMFADevicesCommand(page));
    for (const { SerialNumber } of devices) {
      await ignoreMissing(iam.send(new DeactivateMFADeviceCommand({ UserName, SerialNumber })));
    }
  });
  await clear("signing certificates", async () => {
    const { Certificates: found = [] } = await iam.send(new ListSigningCertificatesCommand(page));
    for (const { CertificateId } of found) {
      await ignoreMissing(iam.send(new DeleteSigningCertificateCommand({ UserName, CertificateId })));
    }
  });
  await clear("SSH keys", async () => {
    const { SSHPublicKeys: found = [] } = await iam.send(new ListSSHPublicKeysCommand(page));
    for (const { SSHPublicKeyId } of found) {
      await ignoreMissing(iam.send(new DeleteSSHPublicKeyCommand({ UserName, SSHPublicKeyId })));
    }
  });
  await clear("service credentials", async () => {
    const list = new ListServiceSpecificCredentialsCommand({ UserName });
    const { ServiceSpecificCredentials: found = [] } = await iam.send(list);
    for (const { ServiceSpecificCredentialId } of found) {
      const id = { UserName, ServiceSpecificCredentialId };
      await ignoreMissing(iam.send(new DeleteServiceSpecificCredentialCommand(id)));
    }
  });
  return problems;
}
