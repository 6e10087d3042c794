import { ApiError, aggregate, badRequest } from "../base/errors.ts";
import { randomUuid } from "../base/random.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { Backend } from "../framework/backend.ts";
import { dispatch } from "../framework/dispatch.ts";
import { matchPath } from "../framework/path-match.ts";
import { type Answer, type LeaseFigures, respond, respondError } from "./envelope.ts";
import { issueLease } from "./leases/issue.ts";
import type { MountEntry } from "./mounts/table.ts";
import { type CoreRequest, type EngineOperation, readRequest } from "./request-path.ts";
import type { Services } from "./services.ts";
import { type Caller, findCaller } from "./tokens/store.ts";

/** Where a request goes: a mount's engine, or one of the core's own backends. */
export interface Route {
  /** With its trailing slash. */
  readonly mountPath: string;
  readonly mountType: string;
  readonly backend: Backend;
  /** Absent for the core's own. */
  readonly entry: MountEntry | null;
}

/**
 * A request's way: read it, find its route, know the caller, ask what the caller may, let the engine handle it, put what it
 * issues under a lease, answer. Never throws: a failure is an answer too.
 */
export async function handle(services: Services, wire: ApiRequest): Promise<ApiResponse> {
  const requestId = randomUuid(services.random);
  try {
    const request = readRequest(wire);
    if (wire.wrapTtlSeconds) throw badRequest("response wrapping is not part of this version of vsec");
    const { operation } = request;
    if (operation === "help") {
      const { helpFor } = await import("./help.ts");
      return await helpFor(services, request.path);
    }
    const caller = await findCaller(services.barrier, request.token, services.clock.now());
    const route = await findRoute(services, request.path);
    authorise(route, request, caller);
    const found = requireRoute(route, request);
    const answer = await carryOut(services, requestId, found, { ...request, operation }, caller);
    return respond(operation, request.path, answer);
  } catch (error) {
    return respondError(error, requestId, services.log);
  }
}

export async function findRoute(services: Services, path: string): Promise<Route | null> {
  for (const [mountPath, backend] of services.mounts.builtin) {
    if (path.startsWith(mountPath)) {
      const mountType = mountPath === "sys/" ? "system" : "token";
      return { mountPath, mountType, backend, entry: null };
    }
  }
  const entry = await services.mounts.entryFor(path);
  if (entry === null) return null;
  const { backend } = await services.mounts.load(entry);
  return { mountPath: entry.path, mountType: entry.type, backend, entry };
}

/**
 * Asks whether the caller may do this. It comes before the answer that there is no such route, so that a caller without
 * rights learns nothing about what is mounted.
 * @throws ApiError 403 `permission denied`.
 */
function authorise(route: Route | null, request: CoreRequest, caller: Caller | null): void {
  const below = route === null ? "" : request.path.slice(route.mountPath.length);
  if (route !== null && matchPath(route.backend, below)?.spec.unauthenticated) return;
  if (caller?.record.policies.includes("root")) return;
  if (request.token === "") throw new ApiError(403, "permission denied");
  throw new ApiError(403, aggregate("permission denied", ...(caller === null ? ["invalid token"] : [])));
}

function requireRoute(route: Route | null, { path }: CoreRequest): Route {
  if (route !== null) return route;
  throw new ApiError(404, `no handler for route "${path.replace(/\/$/, "")}". route entry not found.`);
}

async function carryOut(
  services: Services,
  requestId: string,
  route: Route,
  request: CoreRequest & { readonly operation: EngineOperation },
  caller: Caller | null,
): Promise<Answer> {
  const reply = await dispatch(route.backend, {
    operation: request.operation,
    path: request.path.slice(route.mountPath.length),
    data: request.data,
    displayName: caller?.record.displayName ?? "",
    ...(route.entry === null ? { token: request.token } : {}),
  });
  const base = { requestId, mountType: route.mountType };
  if (reply?.lease === undefined) return { ...base, reply, lease: reply?.renewed ?? null };
  if (route.entry === null || caller === null) throw new TypeError(`${route.mountPath} cannot issue leases`);
  const issued = await issueLease(services, {
    mounted: { entry: route.entry, backend: route.backend },
    path: request.path,
    plan: reply.lease,
    tokenHash: caller.tokenHash,
  });
  const { record, ttlSeconds } = issued;
  const lease: LeaseFigures = { id: record.id, renewable: record.renewable, ttlSeconds };
  const warnings = [...(reply.warnings ?? []), ...issued.warnings];
  return { ...base, reply: { ...reply, data: issued.data, warnings }, lease };
}
