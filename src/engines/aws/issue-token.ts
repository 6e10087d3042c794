import {
  AssumeRoleCommand,
  type Credentials,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from "@aws-sdk/client-sts";
import { badRequest, VsecError } from "../../base/errors.ts";
import { type AwsClients, onSts } from "./clients.ts";
import { awsRefusal } from "./errors.ts";
import { type SessionPolicies, withGroupPolicies } from "./group-policies.ts";
import type { CredentialType, Role } from "./role.ts";

/** A token of STS. */
export interface IssuedToken {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch, as AWS says. */
  readonly expiresAt: number;
  /** Of the assumed role's session; null for the other kinds. */
  readonly arn: string | null;
}

export interface TokenRequest {
  readonly type: Exclude<CredentialType, "iam_user">;
  readonly role: Role;
  /** Of the session or the federated user. */
  readonly name: string;
  /** assumed_role only. */
  readonly roleArn: string;
  readonly mfaCode: string;
  readonly durationSeconds: number;
}

/** Asks STS for a token. @throws ApiError 400 `Error assuming role: …`, `Error generating STS keys: …`. */
export async function issueToken(
  clients: AwsClients,
  request: TokenRequest,
  abortSignal: AbortSignal,
): Promise<IssuedToken> {
  const what = request.type === "assumed_role" ? "Error assuming role" : "Error generating STS keys";
  try {
    switch (request.type) {
      case "assumed_role":
        return await assumeRole(clients, request, abortSignal);
      case "federation_token":
        return await federationToken(clients, request, abortSignal);
      case "session_token":
        return await sessionToken(clients, request, abortSignal);
    }
  } catch (error) {
    throw awsRefusal(what, error);
  }
}

async function assumeRole(clients: AwsClients, request: TokenRequest, abortSignal: AbortSignal) {
  const { role, roleArn, name, durationSeconds } = request;
  const policies = await withGroupPolicies(clients.iam, role.iamGroups, role);
  const tags = Object.entries(role.sessionTags).map(([Key, Value]) => ({ Key, Value }));
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    RoleSessionName: name,
    DurationSeconds: durationSeconds,
    ...policyInput(policies),
    ...(tags.length === 0 ? {} : { Tags: tags }),
    ...(role.externalId === "" ? {} : { ExternalId: role.externalId }),
  });
  const answer = await onSts(clients, (sts) => sts.send(command, { abortSignal }));
  return tokenOf(answer.Credentials, answer.AssumedRoleUser?.Arn ?? null);
}

async function federationToken(clients: AwsClients, request: TokenRequest, abortSignal: AbortSignal) {
  const { role, name, durationSeconds } = request;
  const policies = await withGroupPolicies(clients.iam, role.iamGroups, role);
  if (policies.policyArns.length === 0 && policies.policyDocument === "") {
    throw badRequest(
      "must specify at least one of policy_arns or policy_document with federation_token credential_type",
    );
  }
  const command = new GetFederationTokenCommand({
    Name: name,
    DurationSeconds: durationSeconds,
    ...policyInput(policies),
  });
  const answer = await onSts(clients, (sts) => sts.send(command, { abortSignal }));
  return tokenOf(answer.Credentials, null);
}

async function sessionToken(clients: AwsClients, request: TokenRequest, abortSignal: AbortSignal) {
  const { role, mfaCode, durationSeconds } = request;
  const command = new GetSessionTokenCommand({
    DurationSeconds: durationSeconds,
    ...(role.mfaSerialNumber === "" ? {} : { SerialNumber: role.mfaSerialNumber }),
    ...(mfaCode === "" ? {} : { TokenCode: mfaCode }),
  });
  const answer = await onSts(clients, (sts) => sts.send(command, { abortSignal }));
  return tokenOf(answer.Credentials, null);
}

function policyInput({ policyArns, policyDocument }: SessionPolicies) {
  return {
    ...(policyDocument === "" ? {} : { Policy: policyDocument }),
    ...(policyArns.length === 0 ? {} : { PolicyArns: policyArns.map((arn) => ({ arn })) }),
  };
}

function tokenOf(credentials: Credentials | undefined, arn: string | null): IssuedToken {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
    throw new VsecError("BACKEND", "AWS answered without credentials");
  }
  return {
    accessKey: AccessKeyId,
    secretKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiresAt: Expiration.getTime(),
    arn,
  };
}
