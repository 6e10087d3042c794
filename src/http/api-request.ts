import { parseDurationMs } from "../base/duration.ts";
import { ApiError, badRequest, messageOf } from "../base/errors.ts";
import { type Json, parseInput, RefusedJson } from "../base/json.ts";
import { LABEL_HEADER, OWNER_HEADER, purposeOf } from "../contract/lease-headers.ts";
import type { ApiRequest, LeasePurpose, Method, RequestContent } from "../contract/wire.ts";
import type { HttpRequest } from "./connection.ts";
import { parsePairs } from "./form.ts";
import type { RequestHead } from "./head.ts";

const API_PREFIX = "/v1/";

/** What HTTP's verbs are in the API. OPTIONS is seen to before. */
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

/** Paths that answer HEAD as they answer GET. Others say so of themselves: a HEAD could issue what nobody gets to see. */
const HEAD_PATHS: ReadonlySet<string> = new Set(["sys/health", "sys/seal-status", "sys/init", "sys/leader"]);

export const PATCH_TYPE = "application/merge-patch+json";
/** Types of bodies that are not read here, but by the path that takes them. */
const CONTENT_TYPES: ReadonlySet<string> = new Set(["application/ocsp-request"]);
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
    return { path: oneSegment(decodeURIComponent(raw.slice(API_PREFIX.length))), query };
  } catch {
    throw badRequest("the path holds a bad escape");
  }
}

/**
 * An OCSP request by GET is base64 at the end of the path, where two slashes may follow each other (RFC 6960, appendix A.1).
 * No other path has such: then the other alphabet, which has no slash, makes it one segment.
 */
function oneSegment(path: string): string {
  const [, before, base64] = /^(.*\/ocsp\/)(M[A-Za-z0-9+/]*={0,2})$/.exec(path) ?? [];
  if (before === undefined || base64?.includes("//") !== true) return path;
  return before + base64.replaceAll("/", "_").replaceAll("+", "-");
}

/**
 * Puts an HTTP request into the API's terms.
 * @throws ApiError 400, 404, 405, 415.
 * @see reference: HTTP layer, method to operation, request headers.
 */
export function apiRequest({ head, body, remoteAddress }: HttpRequest, target: Target): ApiRequest {
  const method = METHODS.get(head.method);
  if (method === undefined) throw new ApiError(405, []);
  const isHead = head.method === "HEAD" && !HEAD_PATHS.has(target.path);
  requireRootNamespace(head);
  const token = tokenOf(head);
  const wrapTtlSeconds = wrapTtlOf(head);
  const leaseFor = leasePurpose(head);
  const content = contentOf(method, head, body);
  const data = content === undefined ? bodyOf(method, head, body) : undefined;
  const query = carriesQuery(method) ? parsePairs(target.query) : {};
  return {
    method,
    path: target.path,
    headers: plainHeaders(head),
    ...(Object.keys(query).length === 0 ? {} : { query }),
    ...(data === undefined ? {} : { body: data }),
    ...(content === undefined ? {} : { content }),
    ...(isHead ? { isHead } : {}),
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

/** A body of a type that is not JSON; undefined for any other. */
function contentOf(method: Method, head: RequestHead, bytes: Buffer): RequestContent | undefined {
  const type = mediaType(head);
  return method === "POST" && CONTENT_TYPES.has(type) ? { type, bytes } : undefined;
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
    return parseInput(text);
  } catch (error) {
    // The parser's own text quotes the body, which may be a secret.
    const reason = error instanceof RefusedJson ? error.message : "it is not valid JSON";
    throw badRequest(`failed to decode JSON input: ${reason}`);
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
