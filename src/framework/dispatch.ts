import { ApiError, aggregate, badRequest } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { Backend, EngineRequest, Operation, OperationSpec, PathSpec, Reply } from "./backend.ts";
import type { Fields } from "./field.ts";
import { type ParsedFields, parseFields } from "./parse-fields.ts";
import { hasRelativeSegment, matchPath, type PathMatch } from "./path-match.ts";

export { matchPath } from "./path-match.ts";

/** A request for a mounted engine. */
export interface MountRequest {
  /**
   * `update` for every write: {@link dispatch} finds out whether it is a `create`, unless the caller already did. No path
   * has `help`, which is answered without its engine.
   */
  readonly operation: Operation;
  /** Below the mount, with the trailing slash of a LIST or without: `roles/`, `roles/readonly`. */
  readonly path: string;
  /** The body, or the query parameters. */
  readonly data: JsonObject;
  /** The display name of the caller's token. */
  readonly displayName: string;
  /** @see EngineRequest.callerId; empty where nobody asks. */
  readonly callerId?: string;
  /** The caller's token, for the core's own backends; engines get none. */
  readonly token?: string;
  /** What the core's own backends find on the request besides. */
  readonly extras?: Readonly<Record<string, unknown>>;
  /** The caller's network address, where there is one. */
  readonly remoteAddress?: string | null;
  /** What {@link isCreate} answered, so that it is not asked twice. */
  readonly create?: boolean;
}

type Backed = Pick<Backend, "paths">;

/**
 * Runs a request: finds its path, reads its fields, calls the handler, and adds warnings about parameters that were
 * ignored or replaced to an answer that has a body.
 * @returns What the handler answered; undefined for nothing.
 * @throws ApiError 400 for a malformed path or field, 404 for an unknown path, 405 for an operation it does not have;
 *   whatever the handler throws.
 */
export async function dispatch(backend: Backed, request: MountRequest): Promise<Reply | undefined> {
  checkPath(request);
  const match = matchPath(backend, request.path);
  if (match === undefined) throw new ApiError(404, aggregate("unsupported path"));
  const spec = operationOf(match.spec, request);
  const parsed = parseFields(match.spec.fields, request.data, match.captured);
  const operation = (await settleCreate(match.spec, request, parsed)) ? "create" : request.operation;
  const reply = await spec.handler(engineRequest({ ...request, operation }, parsed));
  return reply === undefined ? undefined : withWarnings(reply, match, parsed);
}

/**
 * Tells whether a write makes something new, which policies treat as a `create`. False for other operations, and for paths
 * without an existence check.
 * @throws ApiError 400 for a malformed field; whatever the path's check throws.
 */
export async function isCreate(backend: Backed, request: MountRequest): Promise<boolean> {
  const match = matchPath(backend, request.path);
  if (match === undefined || request.operation !== "update" || match.spec.exists === undefined) return false;
  const parsed = parseFields(match.spec.fields, request.data, match.captured);
  return settleCreate(match.spec, request, parsed);
}

async function settleCreate(
  spec: PathSpec,
  request: MountRequest,
  parsed: ParsedFields<Fields>,
): Promise<boolean> {
  if (request.operation !== "update" || spec.exists === undefined) return false;
  return request.create ?? !(await spec.exists(engineRequest(request, parsed)));
}

/** @throws ApiError 400 for paths that no pattern gets to see. */
function checkPath({ operation, path }: MountRequest): void {
  if (hasRelativeSegment(path)) throw badRequest("relative paths not supported");
  const writes = operation === "create" || operation === "update" || operation === "patch";
  if (writes && path.endsWith("/")) throw badRequest("cannot write to a path ending in '/'");
}

/** @throws ApiError 405 when the path has no such operation; 404 when it has, and the request means the folder below. */
function operationOf(spec: PathSpec, { operation, path }: MountRequest): OperationSpec<Fields> {
  const found =
    operation === "help" ? undefined : spec.operations[operation === "create" ? "update" : operation];
  if (found === undefined) {
    const text = "unsupported operation";
    throw new ApiError(405, spec.unauthenticated === true ? text : aggregate(text));
  }
  // Only folders end in a slash, and all that can be done with a folder is to list it.
  if (operation !== "list" && path.endsWith("/")) throw new ApiError(404, []);
  return found;
}

function engineRequest(
  request: MountRequest,
  { values, given }: ParsedFields<Fields>,
): EngineRequest<Fields> {
  const { operation, path, data, displayName, callerId = "", token = "", remoteAddress = null } = request;
  const caller = { displayName, callerId, clientToken: token, remoteAddress };
  return { ...request.extras, operation, path, values, given, raw: data, ...caller };
}

function withWarnings(reply: Reply, { spec }: PathMatch, parsed: ParsedFields<Fields>): Reply {
  if (reply.bare !== undefined || reply.status === 204) return reply;
  const warnings = [...(reply.warnings ?? [])];
  if (parsed.unknown.length > 0 && spec.takesAnyField !== true) {
    warnings.push(`Endpoint ignored these unrecognized parameters: [${parsed.unknown.join(" ")}]`);
  }
  if (parsed.overridden.length > 0) {
    warnings.push(
      `Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [${parsed.overridden.join(" ")}]`,
    );
  }
  return warnings.length === 0 ? reply : { ...reply, warnings };
}
