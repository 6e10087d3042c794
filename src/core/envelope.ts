import { ApiError, aggregate, VsecError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { ApiResponse, Envelope } from "../contract/wire.ts";
import type { Operation, Reply } from "../framework/backend.ts";

/** A lease as an answer names it. */
export interface LeaseFigures {
  readonly id: string;
  readonly renewable: boolean;
  readonly ttlSeconds: number;
}

/** What the envelope is filled with. */
export interface Answer {
  readonly requestId: string;
  readonly mountType: string;
  readonly reply: Reply | undefined;
  readonly lease: LeaseFigures | null;
}

/** System paths whose data stand beside the envelope's keys as well. @see reference: response envelope. */
const DUPLICATED =
  /^sys\/(?:(?:mounts|auth|audit|audit-hash|policy|config\/auditing\/request-headers)(?:\/.*)?|capabilities(?:-accessor|-self)?|key-status|rotate|decode-token|remount|wrapping\/wrap)$/;

/**
 * The wire's answer to a request that was carried out. Nothing to say is 204 after a write and 404 after a read; a list
 * without keys is 404 too.
 */
export function respond(operation: Operation, path: string, answer: Answer): ApiResponse {
  const { reply } = answer;
  if (reply?.bytes !== undefined) {
    const { status = 200, bytes, contentType = "application/octet-stream" } = reply;
    return { status, body: null, bytes, contentType };
  }
  if (reply?.bare !== undefined) {
    const { status = 200, bare: body, contentType } = reply;
    return { status, body, ...(contentType === undefined ? {} : { contentType }) };
  }
  const isQuery = operation === "read" || operation === "list";
  const isEmptyList = operation === "list" && !hasKeys(reply?.data) && !reply?.warnings?.length;
  if (reply === undefined || isEmptyList) {
    return isQuery ? { status: 404, body: { errors: [] } } : { status: 204, body: null };
  }
  const isSilent =
    reply.data === undefined && reply.auth === undefined && answer.lease === null && !reply.warnings?.length;
  if (isSilent)
    return { status: reply.status ?? (isQuery ? 404 : 204), body: isQuery ? { errors: [] } : null };
  const envelope = envelopeOf(answer, reply);
  const body = DUPLICATED.test(path.replace(/\/$/, ""))
    ? { ...envelope, ...reply.data, ...envelope }
    : envelope;
  return { status: reply.status ?? 200, body: body as unknown as JsonObject };
}

function hasKeys(data: JsonObject | undefined): boolean {
  return Array.isArray(data?.keys) && data.keys.length > 0;
}

function envelopeOf({ requestId, mountType, lease }: Answer, reply: Reply): Envelope {
  return {
    request_id: requestId,
    lease_id: lease?.id ?? "",
    renewable: lease?.renewable ?? false,
    lease_duration: lease?.ttlSeconds ?? 0,
    data: reply.data ?? null,
    wrap_info: null,
    warnings: reply.warnings?.length ? reply.warnings : null,
    auth: reply.auth ?? null,
    mount_type: mountType,
  };
}

/** The wire's answer to a failure. Only typed failures say more than that there was one. */
export function respondError(error: unknown, requestId: string, log: Log): ApiResponse {
  if (error instanceof ApiError) {
    const body: Record<string, readonly string[]> = { errors: error.errors.filter((text) => text !== "") };
    if (error.warnings.length > 0) body.warnings = error.warnings;
    return { status: error.status, body: body as JsonObject };
  }
  if (error instanceof VsecError) {
    if (error.code === "SEALED") return { status: 503, body: { errors: ["Vault is sealed"] } };
    // What cannot be stored as it was given, and the like, is the caller's to change.
    const status = error.code === "USAGE" ? 400 : 500;
    return { status, body: { errors: [aggregate(error.message)] } };
  }
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  // The message of an unexpected error may hold anything, a secret too: only the places it passed are logged.
  const places = stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  log.error("internal error", { request_id: requestId, error: name, stack: places.join(" ") });
  return { status: 500, body: { errors: [aggregate(`internal error (request ${requestId})`)] } };
}
