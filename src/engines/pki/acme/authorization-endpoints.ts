import { hasCode } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { Reply } from "../../../framework/backend.ts";
import { findAuthorization } from "./authorizations.ts";
import { type AcmeRequest, accountOf, type Endpoint } from "./endpoint.ts";
import { rfc3339 } from "./orders.ts";
import { AcmeProblem, jsonReply } from "./problem.ts";
import {
  type AuthorizationRecord,
  authorizationKey,
  type ChallengeRecord,
  putRecord,
  type Stored,
} from "./records.ts";
import type { AcmeService } from "./service.ts";

/** Authorizations and their challenges (RFC 8555 section 7.5). */
export function authorizationEndpoints(service: AcmeService): readonly Endpoint[] {
  const auth_id = "The authorization's id.";
  return [
    {
      pattern: "authorization/:auth_id",
      names: { auth_id },
      synopsis: "Show or deactivate an authorization.",
      signedBy: "account",
      handle: (request) => showOrDeactivate(service, request),
    },
    {
      pattern: "challenge/:auth_id/:challenge_type",
      names: { auth_id, challenge_type: "http-01, dns-01 or tls-alpn-01." },
      synopsis: "Have a challenge validated, or show it.",
      signedBy: "account",
      handle: (request) => takeUp(service, request),
    },
  ];
}

/** @throws AcmeProblem malformed, with 404, for one that is not the account's. */
async function authorizationOf(
  { context }: AcmeService,
  request: AcmeRequest,
): Promise<Stored<AuthorizationRecord>> {
  const { record: account } = accountOf(request);
  const found = await findAuthorization(context.storage, account.id, request.values.auth_id ?? "");
  if (found === null) {
    throw new AcmeProblem("malformed", "the account has no such authorization", { status: 404 });
  }
  return found;
}

async function showOrDeactivate(service: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { context } = service;
  const { record, version } = await authorizationOf(service, request);
  const { payload } = request;
  if (payload === null || payload.status === undefined)
    return jsonReply(200, describe(service, record, request.url));
  if (payload.status !== "deactivated") {
    throw new AcmeProblem("malformed", "an authorization's status can be set to deactivated");
  }
  const ended: AuthorizationRecord = { ...record, status: "deactivated" };
  await commit(context.storage, ended, version, record.expiresAt);
  return jsonReply(200, describe(service, ended, request.url));
}

/**
 * Marks a challenge as to be validated: the record is due at once, and whoever does due work validates it. Asked again, it
 * only tells how far that is.
 */
async function takeUp(service: AcmeService, request: AcmeRequest): Promise<Reply> {
  const { context } = service;
  const { record, version } = await authorizationOf(service, request);
  const type = request.values.challenge_type;
  const challenge = record.challenges.find((it) => it.type === type);
  if (challenge === undefined) {
    throw new AcmeProblem("malformed", "the authorization has no such challenge", { status: 404 });
  }
  const now = context.clock.now();
  const isOpen = record.status === "pending" && now < record.expiresAt;
  const isIdle = record.challenges.every(({ status }) => status === "pending");
  if (request.payload === null || !isOpen || !isIdle) return challengeReply(record, challenge, request.url);
  const begun: ChallengeRecord = { ...challenge, status: "processing" };
  const changed: AuthorizationRecord = {
    ...record,
    thumbprint: request.thumbprint,
    challenges: record.challenges.map((it) => (it === challenge ? begun : it)),
  };
  await commit(context.storage, changed, version, now);
  return challengeReply(changed, begun, request.url);
}

async function commit(
  storage: AcmeService["context"]["storage"],
  record: AuthorizationRecord,
  expect: number,
  dueAt: number,
): Promise<void> {
  try {
    await storage.commit([putRecord(authorizationKey(record), record, expect, dueAt)]);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    throw new AcmeProblem("serverInternal", "the authorization changed at the same time; try again", {
      cause: error,
    });
  }
}

/** @see RFC 8555 section 7.5.1 */
function challengeReply(record: AuthorizationRecord, challenge: ChallengeRecord, url: string): Reply {
  const reply = jsonReply(200, describeChallenge(record, challenge, url));
  return { ...reply, headers: { Link: `<${url}/authorization/${record.id}>;rel="up"` } };
}

function describe({ context }: AcmeService, record: AuthorizationRecord, url: string): JsonObject {
  const isOver = record.status === "pending" && context.clock.now() >= record.expiresAt;
  // Of an authorization that is settled, only the challenge that settled it is of interest.
  const settled = record.challenges.filter(({ status }) => status === "valid" || status === "invalid");
  const challenges = record.status === "pending" || settled.length === 0 ? record.challenges : settled;
  return {
    identifier: { ...record.identifier },
    status: isOver ? "expired" : record.status,
    expires: rfc3339(record.expiresAt),
    challenges: challenges.map((it) => describeChallenge(record, it, url)),
    ...(record.wildcard ? { wildcard: true } : {}),
  };
}

function describeChallenge(
  { id }: Pick<AuthorizationRecord, "id">,
  { type, token, status, validatedAt, error }: ChallengeRecord,
  url: string,
): JsonObject {
  return {
    type,
    url: `${url}/challenge/${id}/${type}`,
    status,
    token,
    ...(validatedAt === null ? {} : { validated: rfc3339(validatedAt) }),
    ...(error === null ? {} : { error }),
  };
}
