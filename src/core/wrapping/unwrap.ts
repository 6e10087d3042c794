import { ApiError, aggregate, badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { readCubbyhole } from "../cubbyhole/store.ts";
import type { Services } from "../services.ts";
import { spendUse } from "../tokens/authenticate.ts";
import type { Caller } from "../tokens/caller.ts";
import { revokeTokenTree } from "../tokens/revoke.ts";
import { findCaller, tokenHash } from "../tokens/store.ts";
import { INFO_ENTRY, RESPONSE_ENTRY, WRAPPING_POLICY } from "./wrap.ts";

/** What is known of a wrapping without opening it. */
export interface WrapInfo {
  readonly creation_ttl: number;
  /** RFC 3339. */
  readonly creation_time: string;
  readonly creation_path: string;
  readonly wrapped_accessor?: string;
}

/** A wrapped answer, taken out. */
export interface Unwrapped {
  /** The JSON text of the answer's envelope. */
  readonly response: string;
  readonly info: WrapInfo;
}

/** One refusal for whatever is wrong with a wrapping token, so that it tells nothing. */
function invalid(): ApiError {
  return badRequest("wrapping token is not valid or does not exist");
}

function isWrapping({ batch, record }: Caller): boolean {
  return !batch && record.policies.length === 1 && record.policies[0] === WRAPPING_POLICY;
}

/** @throws ApiError 400 for a token that is unknown, expired, used, or no wrapping token. */
async function findWrapping({ barrier, clock }: Services, token: string): Promise<Caller> {
  const found = await findCaller(barrier, token, clock.now());
  if (found === null || !isWrapping(found)) throw invalid();
  return found;
}

/** Paths that take a wrapping token, as their caller's or as a parameter. */
const CHECKED_PATHS: readonly string[] = [
  "sys/wrapping/lookup",
  "sys/wrapping/unwrap",
  "sys/wrapping/rewrap",
];

/**
 * Refuses a request whose wrapping token is not one, before the request counts as authenticated: else the answer to a used
 * token would be that permission is denied. Other requests pass.
 * @throws ApiError 400 `wrapping token is not valid or does not exist`.
 */
export async function checkWrappingToken(
  services: Services,
  request: { readonly path: string; readonly data: JsonObject; readonly token: string },
): Promise<void> {
  if (!CHECKED_PATHS.includes(request.path)) return;
  const given = request.data.token ?? "";
  // What is no text at all is refused where the parameters are read.
  if (typeof given !== "string") return;
  const token = given || request.token;
  if (token === "" && request.path === "sys/wrapping/lookup") return;
  await findWrapping(services, token);
}

/**
 * Tells what is known of a wrapping. Costs no use.
 * @throws ApiError 400
 */
export async function lookUpWrapping(services: Services, token: string): Promise<WrapInfo> {
  return infoOf(services, (await findWrapping(services, token)).tokenHash);
}

/**
 * Takes the answer out, once: of several that try at the same time, one gets it.
 * @param token - The wrapping token; empty: the caller's own, whose use is spent already and which ends with this request.
 * @throws ApiError 400; 500 when the caller's own token is no wrapping token.
 */
export async function unwrap(services: Services, token: string, caller: Caller): Promise<Unwrapped> {
  if (token === "" || tokenHash(services.barrier, token) === caller.tokenHash) {
    if (!isWrapping(caller)) throw new ApiError(500, aggregate("token is not a valid unwrap token"));
    return contentOf(services, caller.tokenHash);
  }
  const wrapping = await findWrapping(services, token);
  await spendOnlyUse(services, wrapping);
  const content = await contentOf(services, wrapping.tokenHash);
  await end(services, wrapping.tokenHash);
  return content;
}

async function spendOnlyUse(services: Services, wrapping: Caller): Promise<void> {
  try {
    await spendUse(services, wrapping);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) throw invalid();
    throw error;
  }
}

/** Revokes a token that was used up. It is refused already, and due: a failure here delays its end and nothing else. */
async function end(services: Services, hash: string): Promise<void> {
  try {
    await revokeTokenTree(services, hash);
  } catch (error) {
    services.log.warn("a used wrapping token could not be revoked yet", { error: messageOf(error) });
  }
}

async function contentOf(services: Services, hash: string): Promise<Unwrapped> {
  const entry = await readCubbyhole(services, hash, RESPONSE_ENTRY);
  if (typeof entry?.response !== "string") throw invalid();
  return { response: entry.response, info: await infoOf(services, hash) };
}

async function infoOf(services: Services, hash: string): Promise<WrapInfo> {
  const info = await readCubbyhole(services, hash, INFO_ENTRY);
  if (info === null) throw invalid();
  return info as unknown as WrapInfo;
}
