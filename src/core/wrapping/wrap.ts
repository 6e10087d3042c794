import type { JsonObject } from "../../base/json.ts";
import type { Envelope } from "../../contract/wire.ts";
import { putCubbyhole } from "../cubbyhole/store.ts";
import type { Services } from "../services.ts";
import { createToken } from "../tokens/create.ts";

/** The only policy of a wrapping token. */
export const WRAPPING_POLICY = "response-wrapping";
/** Where in the wrapping token's cubbyhole the answer lies, and what is known of the wrapping. */
export const RESPONSE_ENTRY = "response";
export const INFO_ENTRY = "wrapinfo";

export interface WrapRequest {
  /** The whole envelope of the answer. */
  readonly body: JsonObject;
  readonly ttlSeconds: number;
  /** The request's path, which the token's holder can check. */
  readonly path: string;
  /** The accessor of the token or secret id that the answer holds. */
  readonly wrappedAccessor?: string;
}

/**
 * Puts an answer away under a token that gives it out once.
 * @returns The envelope to send in its place, which names that token.
 * @see reference: wrapping.
 */
export async function wrapAnswer(services: Services, request: WrapRequest): Promise<JsonObject> {
  return wrapText(services, { ...request, response: JSON.stringify(request.body) });
}

/** As {@link wrapAnswer}, of an answer that is text already. */
export async function wrapText(
  services: Services,
  request: Omit<WrapRequest, "body"> & { readonly response: string },
): Promise<JsonObject> {
  const { ttlSeconds, path, wrappedAccessor = "", response } = request;
  const { id, hash, record } = await createToken(services, {
    type: "service",
    policies: [WRAPPING_POLICY],
    parent: null,
    ttlSeconds,
    explicitMaxTtlSeconds: ttlSeconds,
    periodSeconds: 0,
    numUses: 1,
    renewable: false,
    displayName: "",
    meta: null,
    path,
    entityId: "",
    boundCidrs: [],
    role: null,
    noDefaultPolicy: true,
    login: null,
    mountTtl: { defaultSeconds: ttlSeconds, maxSeconds: ttlSeconds },
  });
  const accessorOf: JsonObject = wrappedAccessor === "" ? {} : { wrapped_accessor: wrappedAccessor };
  const info: JsonObject = {
    creation_ttl: ttlSeconds,
    creation_time: new Date(record.createdAt).toISOString(),
    creation_path: path,
    ...accessorOf,
  };
  // Nobody has the token yet, so nobody can meet it without its answer.
  await services.barrier.commit([
    putCubbyhole(hash, RESPONSE_ENTRY, { response }),
    putCubbyhole(hash, INFO_ENTRY, info),
  ]);
  return wrappedEnvelope({
    token: id,
    accessor: record.accessor,
    ttl: ttlSeconds,
    creation_time: info.creation_time ?? "",
    creation_path: path,
    ...accessorOf,
  });
}

/** An envelope that tells nothing but where the answer is. */
function wrappedEnvelope(wrapInfo: JsonObject): JsonObject {
  const envelope: Envelope = {
    request_id: "",
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: wrapInfo,
    warnings: null,
    auth: null,
    mount_type: "",
  };
  return { ...envelope };
}
