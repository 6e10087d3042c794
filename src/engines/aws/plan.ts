import { badRequest } from "../../base/errors.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { LeasePlan } from "../../framework/secret.ts";
import type { Clients } from "./clients.ts";
import { planToken } from "./plan-token.ts";
import { planUser } from "./plan-user.ts";
import { type CredentialType, readRole } from "./role.ts";
import type { NeverCreatedLeases } from "./user-secret.ts";

/** What the handlers of an AWS mount share. */
export interface AwsMount {
  readonly context: MountContext;
  readonly clients: Clients;
  readonly never: NeverCreatedLeases;
}

/** A request for a credential. */
export interface CredentialRequest {
  readonly roleName: string;
  readonly displayName: string;
  /** `creds` and `sts` give different things where the role is a legacy one; null: whatever the role gives. */
  readonly door: "creds" | "sts" | null;
  /** 0: the role's. */
  readonly ttlSeconds: number;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly mfaCode: string;
  /** Answer only when AWS was seen to take the keys. Users only: tokens work at once. */
  readonly isProved: boolean;
  /** Where credential-process keeps what is issued; null: nowhere. */
  readonly processKey: string | null;
}

/** A credential that was just made. */
export interface IssuedCredential {
  readonly leaseId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Called with a new credential before it is answered. */
export type OnIssued = (credential: IssuedCredential) => Promise<void>;

/** Plans a credential of a role. @throws ApiError 400 with Vault's texts. @see reference: AWS creds and sts. */
export async function planCredential(
  mount: AwsMount,
  request: CredentialRequest,
  onIssued: OnIssued = async () => undefined,
): Promise<LeasePlan> {
  const stored = await readRole(mount.context.storage, request.roleName);
  if (stored === null) throw badRequest(`Role "${request.roleName}" not found`);
  const { role } = stored;
  const type = chooseType(role.credentialTypes, role.isLegacy, request.door);
  if (type === "iam_user") return planUser(mount, role, request, onIssued);
  return planToken(mount, { role, type }, request, onIssued);
}

function chooseType(
  types: readonly CredentialType[],
  isLegacy: boolean,
  door: CredentialRequest["door"],
): CredentialType {
  const [first] = types;
  if (first === undefined) throw badRequest("the role has no credential type");
  const type = types.length === 1 ? first : door === "sts" ? "federation_token" : "iam_user";
  if (!isLegacy || door === null) return type;
  if (door === "sts" && type === "iam_user") {
    throw badRequest(
      "attempted to retrieve iam_user credentials through the sts path; this is not allowed for legacy roles",
    );
  }
  if (door === "creds" && type !== "iam_user") {
    throw badRequest(
      `attempted to retrieve ${type} credentials through the creds path; this is not allowed for legacy roles`,
    );
  }
  return type;
}
