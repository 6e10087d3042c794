import { parseDurationSeconds } from "../../base/duration.ts";
import { badRequest, messageOf } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import type { Services } from "../services.ts";
import { SYSTEM_TTL_SECONDS } from "../ttl.ts";
import { readAuthConfig } from "./auth-config.ts";
import type { Mounts } from "./mounts.ts";
import { effectiveTtl } from "./mounts.ts";
import { endLeasesOf, type Retirement } from "./retire.ts";
import { AUTH_PREFIX, isAuthMount, type MountConfig, type MountEntry } from "./table.ts";

const PROTECTED = ["audit/", "auth/", "sys/", "cubbyhole/", "identity/"];
const UNMOUNTABLE = ["system", "cubbyhole", "identity", "token"];
const PATH_CHARS_MAX = 256;

/** Settings that are kept and shown and have no effect in this process: they steer listeners and audit devices. */
const EXTRA_KEYS = [
  "audit_non_hmac_request_keys",
  "audit_non_hmac_response_keys",
  "listing_visibility",
  "passthrough_request_headers",
  "allowed_response_headers",
] as const;

/** What `sys/mounts/<path>` is given. */
export interface EnableRequest {
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly config: JsonObject;
  readonly options: Readonly<Record<string, string>>;
  readonly local: boolean;
  readonly sealWrap: boolean;
  readonly externalEntropyAccess: boolean;
}

/**
 * Brings a mount path into its one form, with a single trailing slash.
 * @throws ApiError 400 for empty, relative or unprintable ones.
 */
export function mountPathOf(text: string): string {
  const path = text.replace(/^\/+|\/+$/g, "");
  const isClean = path
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== ".." && part.trim() === part);
  if (!isClean || path.length > PATH_CHARS_MAX || /[^\P{C}]/u.test(path)) {
    throw badRequest(`invalid mount path ${JSON.stringify(text)}`);
  }
  return `${path}/`;
}

/** The versions of the kv engine, which are also told by the types `kv-v1` and `kv-v2`. */
const KV_VERSIONS = ["1", "2"];

/** A request for `kv-v2` is one for `kv` with the option `version` 2. */
function withoutKvAlias(request: EnableRequest): EnableRequest {
  const version = /^kv-v([12])$/.exec(request.type)?.[1];
  if (version === undefined) return request;
  return { ...request, type: "kv", options: { ...request.options, version } };
}

/** @throws ApiError 400 for a version that the engine does not have, or for going back to version 1. */
function checkKvVersion(before: string | undefined, after: string | undefined): void {
  if (after === undefined || before === after) return;
  if (before === "2") throw badRequest("cannot downgrade mount from version 2");
  if (!KV_VERSIONS.includes(after)) {
    throw badRequest(
      `invalid version ${JSON.stringify(after)}: kv has the versions ${KV_VERSIONS.join(" and ")}`,
    );
  }
}

/** Mounts an engine. @throws ApiError 400 with Vault's texts. */
export async function enableMount(services: Services, asked: EnableRequest): Promise<void> {
  const { mounts } = services;
  const request = withoutKvAlias(asked);
  const type = requireType(request);
  if (UNMOUNTABLE.includes(type)) throw badRequest(`mount type of "${type}" is not mountable`);
  if (!mounts.engines.some((engine) => engine.type === type)) {
    throw badRequest(`plugin not found in the catalog: ${type}`);
  }
  if (request.options.version !== undefined && type !== "kv") {
    throw badRequest(`secrets engine "${type}" does not allow setting a version`);
  }
  checkKvVersion(undefined, request.options.version);
  const path = mountPathOf(request.path);
  const clash = PROTECTED.find((other) => path.startsWith(other));
  if (clash !== undefined) throw badRequest(`cannot mount "${clash}"`);
  await addEntry(services, newEntry(services, request, path, readConfig(request.config)));
}

/** Mounts an auth method below `auth/`. @throws ApiError 400 with Vault's texts. */
export async function enableAuth(services: Services, request: EnableRequest): Promise<void> {
  const type = requireType(request);
  if (type === "token") throw badRequest("token credential backend cannot be instantiated");
  if (!services.mounts.authMethods.some((method) => method.type === type)) {
    throw badRequest(`plugin not found in the catalog: ${type}`);
  }
  if (request.options.version !== undefined) {
    throw badRequest(`auth method "${type}" does not allow setting a version`);
  }
  const path = AUTH_PREFIX + mountPathOf(request.path);
  const builtin = services.mounts.builtins.paths.find((own) => path.startsWith(own));
  if (builtin !== undefined) throw badRequest(`path is already in use at ${below(builtin)}`);
  const config = { ...readConfig(request.config), auth: readAuthConfig(request.config, undefined) };
  await addEntry(services, newEntry(services, request, path, config));
}

function requireType({ type }: EnableRequest): string {
  if (type === "") throw badRequest("backend type must be specified as a string");
  return type;
}

function newEntry(
  { random }: Services,
  request: EnableRequest,
  path: string,
  config: MountConfig,
): MountEntry {
  const prefix = config.auth === undefined ? "" : "auth_";
  return {
    path,
    type: request.type,
    uuid: randomUuid(random),
    accessor: `${prefix}${request.type}_${Buffer.from(random.bytes(4)).toString("hex")}`,
    description: request.description,
    config,
    options: Object.keys(request.options).length > 0 ? request.options : null,
    local: request.local,
    sealWrap: request.sealWrap,
    externalEntropyAccess: request.externalEntropyAccess,
    retired: false,
    formerPaths: [],
  };
}

async function addEntry({ mounts }: Services, entry: MountEntry): Promise<void> {
  await mounts.table.change((entries) => {
    refuseClash(entries, entry.path);
    return [...entries, entry];
  });
}

/** A path as its own list names it: auth methods without `auth/`. */
function below(path: string): string {
  return path.startsWith(AUTH_PREFIX) ? path.slice(AUTH_PREFIX.length) : path;
}

function refuseClash(entries: readonly MountEntry[], path: string): void {
  for (const other of entries) {
    if (other.retired) continue;
    if (other.path === path) throw badRequest(`path is already in use at ${below(path)}`);
    if (path.startsWith(other.path) || other.path.startsWith(path)) {
      throw badRequest(`path is already in use at ${below(other.path)}`);
    }
  }
}

function readConfig(config: JsonObject): MountConfig {
  const defaultLeaseTtlSeconds = readTtl(config.default_lease_ttl, "default");
  const maxLeaseTtlSeconds = readTtl(config.max_lease_ttl, "max");
  if (maxLeaseTtlSeconds > 0 && defaultLeaseTtlSeconds > maxLeaseTtlSeconds) {
    throw badRequest("given default lease TTL greater than given max lease TTL");
  }
  if (maxLeaseTtlSeconds === 0 && defaultLeaseTtlSeconds > SYSTEM_TTL_SECONDS) {
    throw badRequest(`given default lease TTL greater than system max lease TTL of ${SYSTEM_TTL_SECONDS}`);
  }
  return {
    defaultLeaseTtlSeconds,
    maxLeaseTtlSeconds,
    forceNoCache: config.force_no_cache === true,
    extra: readExtra(config, {}),
  };
}

function readTtl(value: Json | undefined, name: string): number {
  if (value === undefined || value === null || value === "system") return 0;
  try {
    const seconds = parseDurationSeconds(String(value));
    if (seconds < 0) throw new SyntaxError("it is negative");
    return seconds;
  } catch (error) {
    const field = name === "default" ? "default TTL" : "max TTL";
    throw badRequest(`unable to parse ${field} of ${JSON.stringify(value)}: ${messageOf(error)}`);
  }
}

function readExtra(config: JsonObject, present: JsonObject): JsonObject {
  const extra: Record<string, Json> = { ...present };
  for (const key of EXTRA_KEYS) {
    const value = config[key];
    if (value !== undefined && value !== null) extra[key] = value;
  }
  const visibility = extra.listing_visibility;
  if (visibility !== undefined && !["", "hidden", "unauth"].includes(String(visibility))) {
    throw badRequest(`invalid listing_visibility ${String(visibility)}`);
  }
  return extra;
}

/** Changes the given settings of a mount and leaves the others. @throws ApiError 400 with Vault's texts. */
export async function tuneMount(services: Services, text: string, given: JsonObject): Promise<void> {
  const path = mountPathOf(text);
  refuseBuiltin(services.mounts, path, "tune");
  await services.mounts.table.change((entries) => {
    const entry = entries.find((candidate) => candidate.path === path && !candidate.retired);
    if (entry === undefined) throw badRequest(`tune of path "${path}" failed: no mount entry found`);
    const tuned = tune(entry, given);
    return entries.map((candidate) => (candidate.uuid === entry.uuid ? tuned : candidate));
  });
}

function tune(entry: MountEntry, given: JsonObject): MountEntry {
  const keep = (value: Json | undefined): boolean => value === undefined || value === null || value === "";
  const config: MountConfig = {
    defaultLeaseTtlSeconds: keep(given.default_lease_ttl)
      ? entry.config.defaultLeaseTtlSeconds
      : readTtl(given.default_lease_ttl, "default"),
    maxLeaseTtlSeconds: keep(given.max_lease_ttl)
      ? entry.config.maxLeaseTtlSeconds
      : readTtl(given.max_lease_ttl, "max"),
    forceNoCache: entry.config.forceNoCache,
    extra: readExtra(given, entry.config.extra),
    ...(entry.config.auth === undefined ? {} : { auth: readAuthConfig(given, entry.config.auth) }),
  };
  const ttl = effectiveTtl({ ...entry, config });
  if (ttl.defaultSeconds > ttl.maxSeconds) {
    throw badRequest(
      `backend max lease TTL of ${ttl.maxSeconds} would be less than backend default lease TTL of ${ttl.defaultSeconds}`,
    );
  }
  const options = isJsonObject(given.options)
    ? { ...entry.options, ...(given.options as Record<string, string>) }
    : entry.options;
  if (options?.version !== undefined && entry.type !== "kv") {
    const kind = isAuthMount(entry) ? "auth method" : "secrets engine";
    throw badRequest(`${kind} "${entry.type}" does not allow setting a version`);
  }
  checkKvVersion(entry.options?.version, options?.version);
  const description = typeof given.description === "string" ? given.description : entry.description;
  return { ...entry, config, options, description };
}

/** @throws ApiError 400 when the path belongs to the core's own backends. */
export function refuseBuiltin(mounts: Mounts, path: string, verb: "tune" | "unmount" | "remount"): void {
  const own =
    mounts.builtins.paths.find((builtin) => path.startsWith(builtin)) ??
    PROTECTED.find((other) => path.startsWith(other) && (other !== AUTH_PREFIX || verb === "unmount"));
  if (own === undefined) return;
  throw badRequest(verb === "tune" ? `cannot tune ${own}` : `cannot ${verb} "${path}"`);
}

/** Moves a mount. Its leases are revoked (as Vault does); its configuration stays. @throws ApiError 400 with Vault's texts. */
export async function moveMount(services: Services, from: string, to: string): Promise<Retirement> {
  if (from === "" || to === "") throw badRequest("both 'from' and 'to' path must be specified as a string");
  const [source, target] = [mountPathOf(from), mountPathOf(to)];
  refuseBuiltin(services.mounts, source, "remount");
  refuseBuiltin(services.mounts, target, "remount");
  refuseOtherClass(source, target);
  const before = await services.mounts.table.change((entries) => {
    const entry = entries.find((candidate) => candidate.path === source && !candidate.retired);
    if (entry === undefined) throw badRequest(`no matching mount at "${source}"`);
    const others = entries.filter((candidate) => candidate.uuid !== entry.uuid);
    if (
      others.some(
        (other) => !other.retired && (other.path.startsWith(target) || target.startsWith(other.path)),
      )
    ) {
      throw badRequest(`path already in use at "${target}"`);
    }
    const formerPaths = [...new Set([...entry.formerPaths, source])];
    return [...others, { ...entry, path: target, formerPaths }];
  });
  const moved = before.find((entry) => entry.path === source && !entry.retired);
  return moved === undefined ? { failed: [] } : endLeasesOf(services, moved);
}

function refuseOtherClass(source: string, target: string): void {
  const [fromAuth, toAuth] = [source.startsWith(AUTH_PREFIX), target.startsWith(AUTH_PREFIX)];
  if (fromAuth === toAuth) return;
  const [one, other] = fromAuth ? ["auth", "non-auth"] : ["secrets", "auth"];
  throw badRequest(`cannot remount ${one} mount to ${other} mount ${JSON.stringify(target)}`);
}
