import { ApiError, aggregate, badRequest, messageOf } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import { randomUuid } from "../base/random.ts";
import type { ApiRequest, ApiResponse } from "../contract/wire.ts";
import type { Reply } from "../framework/backend.ts";
import { dispatch, isCreate, type MountRequest } from "../framework/dispatch.ts";
import { type Answer, respond, respondError } from "./envelope.ts";
import { issueLease } from "./leases/issue.ts";
import { type CoreRequest, readRequest } from "./request-path.ts";
import { findRoute, type Route } from "./route.ts";
import type { Services } from "./services.ts";
import { standingFor } from "./standing.ts";
import { authenticate, spendUse } from "./tokens/authenticate.ts";
import { Trail } from "./trail.ts";

/** A request under way. */
interface Passage {
  readonly services: Services;
  readonly wire: ApiRequest;
  readonly request: CoreRequest;
  readonly requestId: string;
  readonly trail: Trail;
  /** The lease that was issued for this request, once it was. */
  issuedLeaseId: string | null;
  /** Whether the write makes something new, as the policies were asked; null: they did not have to be. */
  isNew: boolean | null;
}

/**
 * A request's way: read it, know the caller, ask what the caller may, write the request down, let its backend handle it, put
 * what it issues under a lease, wrap the answer if asked, write the answer down, answer. Never throws: a failure is an
 * answer too.
 */
export async function handle(services: Services, wire: ApiRequest): Promise<ApiResponse> {
  const startedAtMs = services.clock.now();
  const response = await answerTo(services, wire);
  services.metrics.request(wire.method, response.status, services.clock.now() - startedAtMs);
  return response;
}

async function answerTo(services: Services, wire: ApiRequest): Promise<ApiResponse> {
  const requestId = randomUuid(services.random);
  try {
    const request = readRequest(wire);
    const trail = new Trail(services.audit, wire, request, requestId, () => services.clock.now());
    const passage: Passage = { services, wire, request, requestId, trail, issuedLeaseId: null, isNew: null };
    try {
      return await pass(passage);
    } catch (error) {
      await trail.failure(error);
      throw error;
    }
  } catch (error) {
    return respondError(error, requestId, services.log);
  }
}

async function pass(passage: Passage): Promise<ApiResponse> {
  const { services, wire, request, trail } = passage;
  await refuseForgedWrapping(passage);
  const route = await findRoute(services, request.path);
  trail.known.route = route;
  // A login does not depend on a token that happens to be sent along, and a lookup of a wrapping token does not use it up.
  const needsToken = route?.spec?.unauthenticated !== true;
  const from = wire.remoteAddress ?? null;
  const caller = needsToken ? await authenticate(services, request.token, from) : null;
  const { last } = caller === null ? { last: false } : await spendUse(services, caller);
  try {
    trail.known.standing = caller === null ? null : await standingFor(services, caller);
    await authorise(passage);
    await trail.request();
    const response = await answer(passage, last);
    await show(passage, response);
    return response;
  } finally {
    if (last && caller !== null) await endUsedUp(services, caller.tokenHash);
  }
}

/** A wrapping token that is not good is refused as such, before the request counts as one without permission. */
async function refuseForgedWrapping({ services, request }: Passage): Promise<void> {
  if (!request.path.startsWith("sys/wrapping/")) return;
  const { checkWrappingToken } = await import("./wrapping/unwrap.ts");
  await checkWrappingToken(services, request);
}

/**
 * Asks whether the caller may do this. It comes before the answer that there is no such route, so that a caller without
 * rights learns nothing about what is mounted.
 * @throws ApiError 403 `permission denied`.
 */
async function authorise(passage: Passage): Promise<void> {
  const { wire, request, trail } = passage;
  const { route, standing } = trail.known;
  if (route?.spec?.unauthenticated === true) return;
  if (standing === null) {
    if (request.token === "") throw new ApiError(403, "permission denied");
    throw new ApiError(403, aggregate("permission denied", "invalid token"));
  }
  if (standing.acl.isRoot) {
    trail.known.decision = { allowed: true, sudo: true, grantingPolicies: ["root"] };
    return;
  }
  const isNew =
    route !== null &&
    request.operation === "update" &&
    (await isCreate(route.backend, mountRequest(passage, route)));
  passage.isNew = isNew;
  const decision = standing.acl.check({
    operation: isNew ? "create" : request.operation,
    path: request.path,
    data: request.data,
    wrapTtlSeconds: wire.wrapTtlSeconds ?? 0,
    sudoPath: route?.spec?.sudo === true,
  });
  trail.known.decision = decision;
  if (!decision.allowed) throw new ApiError(403, aggregate("permission denied"));
}

function mountRequest(passage: Passage, { below, entry }: Route): MountRequest {
  const { wire, request, trail } = passage;
  return {
    operation: request.operation,
    path: below,
    data: request.data,
    displayName: trail.known.standing?.caller.record.displayName ?? "",
    remoteAddress: wire.remoteAddress ?? null,
    ...(entry === null ? ownExtras(passage) : {}),
  };
}

async function answer(passage: Passage, isLastUse: boolean): Promise<ApiResponse> {
  const { services, request, trail, requestId } = passage;
  if (request.operation === "help") {
    const { helpFor } = await import("./help.ts");
    return helpFor(services, request.path);
  }
  const { route } = trail.known;
  if (route === null) {
    throw new ApiError(
      404,
      `no handler for route "${request.path.replace(/\/$/, "")}". route entry not found.`,
    );
  }
  const { isNew } = passage;
  const create = isNew === null ? {} : { create: isNew };
  const reply = await dispatch(route.backend, { ...mountRequest(passage, route), ...create });
  const completed = await complete(passage, route, reply, isLastUse);
  const base = { requestId, mountType: route.mountType };
  const response = respond(request.operation, request.path, { ...base, ...completed });
  return wrapIfAsked(passage, response);
}

/** What only the core's own backends get to see. */
function ownExtras({ wire, request, trail }: Passage): Pick<MountRequest, "token" | "extras"> {
  const { standing } = trail.known;
  const extras = { wrapTtlSeconds: wire.wrapTtlSeconds ?? 0, accept: wire.headers?.accept ?? "" };
  if (standing === null) return { token: request.token, extras };
  return { token: request.token, extras: { ...extras, caller: standing.caller, acl: standing.acl } };
}

/** Issues what the reply plans: a secret under a lease, or the token of a login. */
async function complete(
  passage: Passage,
  route: Route,
  reply: Reply | undefined,
  isLastUse: boolean,
): Promise<Pick<Answer, "reply" | "lease">> {
  if (reply?.login !== undefined) {
    const { logIn } = await import("./identity/log-in.ts");
    const { auth, warnings } = await logIn(passage.services, route, reply.login, passage.request.path, {
      remoteAddress: passage.wire.remoteAddress ?? null,
    });
    return { reply: { ...reply, auth, warnings: [...(reply.warnings ?? []), ...warnings] }, lease: null };
  }
  if (reply?.lease === undefined) return { reply, lease: reply?.renewed ?? null };
  const { standing } = passage.trail.known;
  if (route.entry === null || standing === null)
    throw new TypeError(`${route.mountPath} cannot issue leases`);
  if (isLastUse) {
    throw badRequest(
      "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.",
    );
  }
  const issued = await issueLease(passage.services, {
    mounted: { entry: route.entry, backend: route.backend },
    path: passage.request.path,
    plan: reply.lease,
    caller: standing.caller,
    ...(passage.wire.leaseFor === undefined ? {} : { purpose: passage.wire.leaseFor }),
  });
  const { id, renewable } = issued.record;
  passage.issuedLeaseId = id;
  const warnings = [...(reply.warnings ?? []), ...issued.warnings];
  return {
    reply: { ...reply, data: issued.data, warnings },
    lease: { id, renewable, ttlSeconds: issued.ttlSeconds },
  };
}

async function wrapIfAsked(
  { services, wire, request }: Passage,
  response: ApiResponse,
): Promise<ApiResponse> {
  const ttlSeconds = wire.wrapTtlSeconds ?? 0;
  const { body } = response;
  if (ttlSeconds <= 0 || response.status !== 200 || !isJsonObject(body)) return response;
  // These give out or make wrappings themselves.
  if (["sys/wrapping/unwrap", "sys/wrapping/rewrap", "sys/wrapping/lookup"].includes(request.path))
    return response;
  const { wrapAnswer } = await import("./wrapping/wrap.ts");
  const wrappedAccessor = accessorIn(body);
  const wrapped = await wrapAnswer(services, {
    body,
    ttlSeconds,
    path: request.path,
    ...(wrappedAccessor === "" ? {} : { wrappedAccessor }),
  });
  return { status: 200, body: wrapped };
}

/** The accessor of the token or secret id that an answer holds. */
function accessorIn({ auth, data }: JsonObject): string {
  if (isJsonObject(auth) && typeof auth.accessor === "string") return auth.accessor;
  if (isJsonObject(data) && typeof data.secret_id_accessor === "string") return data.secret_id_accessor;
  return "";
}

/** Writes the answer down. One that cannot be is not shown, and a secret that nobody was shown is revoked. */
async function show({ services, trail, issuedLeaseId }: Passage, response: ApiResponse): Promise<void> {
  try {
    await trail.response(response);
  } catch (error) {
    if (issuedLeaseId !== null) {
      const { endLease } = await import("./leases/end.ts");
      await endLease(services, issuedLeaseId);
    }
    throw error;
  }
}

/** A token whose last use this was is revoked with all it made. It is closed and due: a failure here only delays its end. */
async function endUsedUp(services: Services, tokenHash: string): Promise<void> {
  try {
    const { revokeTokenTree } = await import("./tokens/revoke.ts");
    await revokeTokenTree(services, tokenHash);
  } catch (error) {
    services.log.warn("a used-up token could not be revoked yet", { error: messageOf(error) });
  }
}
