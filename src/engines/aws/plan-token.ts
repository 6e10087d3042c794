import { badRequest } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { LeasePlan, NewLease, SecretType } from "../../framework/secret.ts";
import { readRoot } from "./config.ts";
import type { IssuedToken, TokenRequest } from "./issue-token.ts";
import type { AwsMount, CredentialRequest, OnIssued } from "./plan.ts";
import { dropProcessCredential } from "./process-cache.ts";
import type { Role } from "./role.ts";
import { isRoleArn } from "./role-check.ts";
import { chooseName, sessionName } from "./username.ts";

export const TOKEN_SECRET = "sts";

const CREATE_TIMEOUT_MS = 120_000;
const END_MARGIN_MS = 20_000;
const DEFAULT_SECONDS = 3600;

type TokenType = TokenRequest["type"];

/** What STS takes as DurationSeconds. @see AWS STS API reference: AssumeRole, GetFederationToken, GetSessionToken. */
const SECONDS: Readonly<Record<TokenType, { readonly min: number; readonly max: number }>> = {
  assumed_role: { min: 900, max: 43_200 },
  federation_token: { min: 900, max: 129_600 },
  session_token: { min: 900, max: 129_600 },
};

/** The longest session of a role that was assumed by a role. @see AWS IAM user guide: role chaining. */
const CHAINED_SECONDS_MAX = 3600;

/**
 * Tokens of STS. AWS ends them by itself, and offers no way to end one earlier: the lease ends when the token does. One that is
 * revoked is at least not handed out again.
 */
export function tokenSecret({ storage }: MountContext): SecretType {
  return {
    name: TOKEN_SECRET,
    createTimeoutMs: CREATE_TIMEOUT_MS,
    revoke: async (secrets) => {
      for (const { internal, leaseId } of secrets) {
        const { processKey } = internal;
        if (typeof processKey === "string") await dropProcessCredential(storage, processKey, leaseId);
      }
      return secrets.map(() => null);
    },
  };
}

/** Plans a token. @throws ApiError 400 with Vault's texts. */
export async function planToken(
  mount: AwsMount,
  { role, type }: { readonly role: Role; readonly type: TokenType },
  request: CredentialRequest,
  onIssued: OnIssued,
): Promise<LeasePlan> {
  const { storage, clock, random, ttl } = mount.context;
  const { config } = await readRoot(storage);
  const isChained = config.roleArn !== "";
  if (isChained) refuseUnchainable(type);
  const limits = isChained ? { ...SECONDS[type], max: CHAINED_SECONDS_MAX } : SECONDS[type];
  const durationSeconds = durationOf(role, type, request.ttlSeconds, ttl.maxSeconds, limits);
  const roleArn = type === "assumed_role" ? chooseArn(role, request) : "";
  const kind = type === "federation_token" ? "STS" : "IAM";
  const asked = type === "assumed_role" ? sessionName(request.sessionName) : "";
  const name = asked || chooseName(kind, config.usernameTemplate, request, { random, nowMs: clock.now() });
  const token: TokenRequest = { type, role, name, roleArn, mfaCode: request.mfaCode, durationSeconds };
  return {
    secret: TOKEN_SECRET,
    internal: { v: 1, role: request.roleName, type, name, processKey: request.processKey },
    ...(type === "session_token" ? {} : { principal: name }),
    ttlSeconds: durationSeconds,
    maxTtlSeconds: durationSeconds,
    renewable: false,
    create: (lease) => create(mount, token, onIssued, lease),
  };
}

/** As a role, which is what config/root's role_arn makes us, no token can be had but that of another role. */
function refuseUnchainable(type: TokenType): void {
  if (type === "assumed_role") return;
  throw badRequest(
    `AWS gives a ${type} to the keys of an IAM user only, and config/root has a role_arn, which it works as`,
  );
}

function durationOf(
  role: Role,
  type: TokenType,
  askedSeconds: number,
  mountMaxSeconds: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const wanted = askedSeconds || role.defaultStsTtlSeconds || DEFAULT_SECONDS;
  const caps = [role.maxStsTtlSeconds, mountMaxSeconds].filter((seconds) => seconds > 0);
  const seconds = Math.min(wanted, ...caps);
  if (seconds < min || seconds > max) {
    throw badRequest(
      `a token of the type ${type} lives between ${min} and ${max} seconds, by AWS's rules` +
        `${max === CHAINED_SECONDS_MAX ? " for a role that is assumed as another role" : ""}; ${seconds} is not possible`,
    );
  }
  return seconds;
}

function chooseArn(role: Role, { roleArn, roleName }: CredentialRequest): string {
  const [only, ...more] = role.roleArns;
  if (roleArn === "") {
    if (only !== undefined && more.length === 0) return only;
    throw badRequest("did not supply a role_arn parameter and unable to determine one");
  }
  if (role.roleArns.includes(roleArn)) return roleArn;
  if (!isRoleArn(roleArn)) throw badRequest(`not the ARN of an IAM role: ${roleArn}`);
  throw badRequest(`role_arn "${roleArn}" not in allowed role arns for Vault role "${roleName}"`);
}

async function create(
  { context, clients }: AwsMount,
  request: TokenRequest,
  onIssued: OnIssued,
  lease: NewLease,
): Promise<JsonObject> {
  const { clock } = context;
  const { issueToken } = await import("./issue-token.ts");
  const open = await clients.get();
  const leftMs = Math.max(lease.endBy - END_MARGIN_MS - clock.now(), 1);
  const token = await issueToken(open, request, AbortSignal.timeout(leftMs));
  const { accessKey, secretKey, sessionToken, expiresAt } = token;
  lease.alsoCall(accessKey);
  await onIssued({ leaseId: lease.id, accessKey, secretKey, sessionToken, expiresAt });
  return dataOf(token, clock.now());
}

function dataOf(token: IssuedToken, now: number): JsonObject {
  const data: Record<string, Json> = {
    access_key: token.accessKey,
    secret_key: token.secretKey,
    security_token: token.sessionToken,
    session_token: token.sessionToken,
    ttl: Math.max(0, Math.floor((token.expiresAt - now) / 1000)),
  };
  if (token.arn !== null) data.arn = token.arn;
  return data;
}
