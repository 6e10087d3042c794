import { badRequest, VsecError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { LeasePlan, NewLease } from "../../framework/secret.ts";
import { readLeaseConfig, readRoot } from "./config.ts";
import type { AwsMount, CredentialRequest, OnIssued } from "./plan.ts";
import type { Role } from "./role.ts";
import { USER_SECRET, type UserInternal } from "./user-secret.ts";
import { chooseName, isNameUnique } from "./username.ts";

/** What is left for the last request and the commit when creation has to end. */
const END_MARGIN_MS = 20_000;

/** How long a caller who asked for proof waits for it, at most. */
const PROOF_MS_MAX = 90_000;

/** Plans an IAM user that lives as long as its lease. */
export async function planUser(
  mount: AwsMount,
  role: Role,
  request: CredentialRequest,
  onIssued: OnIssued,
): Promise<LeasePlan> {
  const { storage, clock, random } = mount.context;
  const { config } = await readRoot(storage);
  const username = chooseName("IAM", config.usernameTemplate, request, { random, nowMs: clock.now() });
  const isUnique = isNameUnique(config.usernameTemplate);
  if (!isUnique) await refuseTaken(mount, username);
  const lease = await readLeaseConfig(storage);
  const internal: UserInternal = {
    v: 1,
    username,
    role: request.roleName,
    isNameUnique: isUnique,
    equipment: {
      policyArns: role.policyArns,
      inlinePolicy: role.policyDocument === "" ? null : request.roleName,
      groups: role.iamGroups,
    },
    processKey: request.processKey,
  };
  return {
    secret: USER_SECRET,
    internal: internal as unknown as JsonObject,
    principal: username,
    ttlSeconds: lease?.leaseSeconds ?? 0,
    maxTtlSeconds: lease?.leaseMaxSeconds ?? 0,
    create: (newLease) => create(mount, { username, role, isUnique }, request, onIssued, newLease),
  };
}

/** A user that somebody else made must not get a lease, which would end it. */
async function refuseTaken({ clients }: AwsMount, username: string): Promise<void> {
  const { userExists } = await import("./create-user.ts");
  const { iam } = await clients.get();
  if (!(await userExists(iam, username))) return;
  throw badRequest(
    `the IAM user "${username}" exists already; a username_template with random in it avoids that`,
  );
}

interface Chosen {
  readonly username: string;
  readonly role: Role;
  readonly isUnique: boolean;
}

async function create(
  { context, clients, never }: AwsMount,
  { username, role, isUnique }: Chosen,
  request: CredentialRequest,
  onIssued: OnIssued,
  lease: NewLease,
): Promise<JsonObject> {
  const { clock } = context;
  const { createUser, NeverCreated } = await import("./create-user.ts");
  const { iam } = await clients.get();
  const leftMs = lease.endBy - END_MARGIN_MS - clock.now();
  if (leftMs <= 0)
    throw new VsecError("BACKEND", "getting ready took too long; nothing was created, so try again");
  const user = { username, role, roleName: request.roleName, isNameUnique: isUnique };
  try {
    const keys = await createUser(iam, user, clock, AbortSignal.timeout(leftMs));
    if (request.isProved) {
      const { proveKeys } = await import("./prove-keys.ts");
      await proveKeys(
        clients,
        keys,
        clock,
        Math.min(lease.endBy - END_MARGIN_MS, clock.now() + PROOF_MS_MAX),
      );
    }
    lease.alsoCall(keys.accessKey);
    await onIssued({ ...keys, leaseId: lease.id, sessionToken: "", expiresAt: lease.expiresAt });
    return { access_key: keys.accessKey, secret_key: keys.secretKey, security_token: null };
  } catch (error) {
    if (!(error instanceof NeverCreated)) throw error;
    never.add(lease.id);
    throw error.refusal;
  }
}
