import { parseDurationMs } from "../base/duration.ts";
import { ApiError, badRequest, messageOf } from "../base/errors.ts";
import { type Json, parseJson } from "../base/json.ts";
import { LABEL_HEADER, OWNER_HEADER, purposeOf } from "../contract/lease-headers.ts";
import type { ApiRequest, LeasePurpose, Method } from "../contract/wire.ts";
import type { HttpRequest } from "./connection.ts";
import { parsePairs } from "./form.ts";
import type { RequestHead } from "./head.ts";

const API_PREFIX = "/v1/";

/** What HTTP's verbs are in the API. HEAD and OPTIONS are seen to before. */
const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["GET", "GET"],
  ["HEAD", "GET"],
  ["LIST", "LIST"],
  ["HELP", "HELP"],
  ["POST", "POST"],
  ["PUT", "PUT"],
  ["PATCH", "PATCH"],
  ["DELETE", "DELETE"],
]);

/** Reads that answer HEAD too. Elsewhere a HEAD could issue what nobody gets to see. */
const HEAD_PATHS: ReadonlySet<string> = new Set(["sys/health", "sys/seal-status", "sys/init", "sys/leader"]);

export const PATCH_TYPE = "application/merge-patch+json";
const FORM_TYPE = "application/x-www-form-urlencoded";

/** Headers that carry credentials: no audit device is to show them. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  "x-vault-token",
  "authorization",
  "proxy-authorization",
  "cookie",
]);

/** The path below `/v1/`, decoded; and the query's text. */
export interface Target {
  readonly path: string;
  readonly query: string;
}

/**
 * Takes a request's target apart.
 * @throws ApiError 404 for what is not below `/v1/`, 400 for a bad escape.
 */
export function parseTarget(target: string): Target {
  const local = target.replace(/^https?:\/\/[^/?#]*/i, "");
  const [, raw = "", query = ""] = /^([^?#]*)(?:\?([^#]*))?/.exec(local) ?? [];
  if (!raw.startsWith(API_PREFIX) || raw === API_PREFIX) throw new ApiError(404, []);
  try {
    return { path: decodeURIComponent(raw.slice(API_PREFIX.length)), query };
  } catch {
    throw badRequest("the path holds a bad escape");
  }
}

/**
 * Puts an HTTP request into the API's terms.
 * @throws ApiError 400, 404, 405, 415.
 * @see reference: HTTP layer, method to operation, request headers.
 */
export function apiRequest({ head, body, remoteAddress }: HttpRequest, target: Target): ApiRequest {
  const method = METHODS.get(head.method);
  if (method === undefined || (head.method === "HEAD" && !HEAD_PATHS.has(target.path)))
    throw new ApiError(405, []);
  requireRootNamespace(head);
  const token = tokenOf(head);
  const wrapTtlSeconds = wrapTtlOf(head);
  const leaseFor = leasePurpose(head);
  const content = bodyOf(method, head, body);
  const query = carriesQuery(method) ? parsePairs(target.query) : {};
  return {
    method,
    path: target.path,
    headers: plainHeaders(head),
    ...(Object.keys(query).length === 0 ? {} : { query }),
    ...(content === undefined ? {} : { body: content }),
    ...(token === undefined ? {} : { token }),
    ...(leaseFor === undefined ? {} : { leaseFor }),
    ...(wrapTtlSeconds === 0 ? {} : { wrapTtlSeconds }),
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
  };
}

function first(head: RequestHead, name: string): string | undefined {
  return head.headers.get(name)?.[0];
}

function carriesQuery(method: Method): boolean {
  return method === "GET" || method === "LIST" || method === "DELETE";
}

function requireRootNamespace(head: RequestHead): void {
  const namespace = (first(head, "x-vault-namespace") ?? "").replace(/^\/+|\/+$/g, "");
  if (namespace === "" || namespace === "root") return;
  throw badRequest("X-Vault-Namespace: there are no namespaces here but root");
}

/** The token's own header wins over `Authorization: Bearer`. */
function tokenOf(head: RequestHead): string | undefined {
  const token = first(head, "x-vault-token");
  if (token !== undefined && token !== "") return token;
  const [, bearer] = /^Bearer +(\S+)$/i.exec(first(head, "authorization") ?? "") ?? [];
  return bearer;
}

/** Whole seconds, at least one when wrapping is asked for. */
function wrapTtlOf(head: RequestHead): number {
  const text = first(head, "x-vault-wrap-ttl");
  if (text === undefined) return 0;
  let ms: number;
  try {
    ms = parseDurationMs(text);
  } catch (error) {
    throw badRequest(`error parsing X-Vault-Wrap-TTL header: ${messageOf(error)}`, error);
  }
  if (ms < 0)
    throw badRequest("error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative");
  const format = first(head, "x-vault-wrap-format") ?? "";
  if (ms > 0 && format !== "") throw badRequest(`X-Vault-Wrap-Format: ${format} is not known here`);
  return Math.ceil(ms / 1000);
}

/** Whom a lease of this request is for. @throws ApiError 400 for headers that are not of their form. */
function leasePurpose(head: RequestHead): LeasePurpose | undefined {
  try {
    return purposeOf(first(head, OWNER_HEADER), first(head, LABEL_HEADER));
  } catch (error) {
    throw badRequest(messageOf(error), error);
  }
}

function mediaType(head: RequestHead): string {
  return (first(head, "content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** The body's data; undefined for none. GET, LIST and HELP have none, whatever is sent. */
function bodyOf(method: Method, head: RequestHead, bytes: Buffer): Json | undefined {
  const type = mediaType(head);
  if (method === "PATCH" && type !== PATCH_TYPE) throw new UnsupportedPatch(type);
  if (method === "GET" || method === "LIST" || method === "HELP") return undefined;
  const text = bytes.toString("utf8").trim();
  if (text === "") return undefined;
  if (type === FORM_TYPE && !/^[{[]/.test(text)) return parsePairs(text);
  try {
    return parseJson(text);
  } catch (error) {
    // The parser's own text quotes the body, which may be a secret.
    const reason = error instanceof SyntaxError && /^nested deeper/.test(error.message) ? error.message : "";
    throw badRequest(`failed to decode JSON input: ${reason || "it is not valid JSON"}`);
  }
}

/** A PATCH of any other type. Its answer is plain text. */
export class UnsupportedPatch extends ApiError {
  constructor(type: string) {
    super(415, `PATCH requires Content-Type of ${PATCH_TYPE}, provided ${type}`);
    this.name = "UnsupportedPatch";
  }
}

function plainHeaders(head: RequestHead): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, values] of head.headers) {
    if (!CREDENTIAL_HEADERS.has(name) && name !== "__proto__") headers[name] = values.join(", ");
  }
  return headers;
}
