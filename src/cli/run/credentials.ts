import { messageOf } from "../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { ApiResponse, LeasePurpose } from "../../contract/wire.ts";
import { bodyOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure, localFailure } from "../failure.ts";
import { resolveToken } from "../token-helper.ts";
import type { Reference } from "./reference.ts";

/** What was read at a path: its data and, where it is a dynamic credential, its lease. */
export interface Credential {
  readonly path: string;
  readonly data: JsonObject;
  /** The data as the API gave it: of a key/value secret with versions, what is known about the version as well. */
  readonly whole: JsonObject;
  readonly lease: HeldLease | null;
  /** Of a database's login that was read with it: how clients connect. */
  readonly connection?: LoginConnection;
}

/** How the clients of a database connect with a login. */
export interface LoginConnection {
  /** Variables that they read. */
  readonly environment: Readonly<Record<string, string>>;
  /** How the connection is protected, in their own word for it. */
  readonly tlsMode?: string;
  /** PEM: who vouches for the server. */
  readonly authorities?: string;
}

export interface HeldLease {
  readonly id: string;
  /** The token that it belongs to. */
  readonly token: string | undefined;
  readonly renewable: boolean;
  /** As granted; the increment that is asked for later. */
  readonly ttlSeconds: number;
  /** Milliseconds since the epoch; moves with each renewal. */
  expiresAt: number;
}

/** Fields that name the credential and are no secret; they show in logs, where they help. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  "username",
  "access_key",
  "expiration",
  "arn",
  "lease_id",
  "ttl",
  "rotation_period",
  "last_vault_rotation",
]);

/**
 * The credentials of one command: each path is read once, whatever refers to it, and everything that was leased is given
 * back together.
 */
export class Credentials {
  readonly #context: CommandContext;
  readonly #purpose: LeasePurpose;
  #byPath = new Map<string, Promise<Credential>>();
  /** The paths that gave a lease. */
  readonly #isLeased = new Set<string>();
  /** Every lease that has not been given back, the present ones and those they replaced. */
  readonly #leased = new Set<HeldLease>();

  constructor(context: CommandContext, purpose: LeasePurpose) {
    this.#context = context;
    this.#purpose = purpose;
  }

  /**
   * @param parameters - Given: the path is written to with these, as some engines have it that issue something.
   * @throws CommandFailure for a path that cannot be read or holds nothing.
   */
  read(path: string, parameters?: JsonObject): Promise<Credential> {
    const key = parameters === undefined ? path : `${path} ${JSON.stringify(parameters)}`;
    return this.#once(key, () => this.#read(path, key, parameters === undefined ? {} : { body: parameters }));
  }

  #once(key: string, read: () => Promise<Credential>): Promise<Credential> {
    const known = this.#byPath.get(key);
    if (known !== undefined) return known;
    const credential = read();
    this.#byPath.set(key, credential);
    // What failed is not kept: whoever asks again has it tried again.
    credential.catch(() => this.#byPath.delete(key));
    return credential;
  }

  /**
   * A login of a database, and how to connect with it as far as its engine tells. For all who refer to the path it is the same
   * credential, so this is to be asked before they do.
   * @throws CommandFailure as {@link read} does.
   */
  readLogin(path: string): Promise<Credential> {
    return this.#once(path, () =>
      this.#read(path, path, { query: { connection: true } }).catch((error: unknown) => {
        // A plugin that cannot tell refuses, as does a policy that allows no parameters; the login is good without.
        if (!(error instanceof CommandFailure) || (error.status !== 400 && error.status !== 403)) throw error;
        return this.#read(path, path, {});
      }),
    );
  }

  /** A field's text; numbers, lists and maps as JSON. @throws CommandFailure where it is not there. */
  async value({ path, field }: Reference): Promise<string> {
    const { data } = await this.read(path);
    if (field === undefined) return JSON.stringify(data);
    const value = Object.hasOwn(data, field) ? data[field] : undefined;
    if (value !== undefined) return textOf(value);
    const known = Object.keys(data).sort().join(", ");
    throw localFailure(`${path} has no field "${field}"; it has ${known || "none"}`);
  }

  /** The leases of the present credentials. */
  async leases(): Promise<readonly HeldLease[]> {
    const credentials = await Promise.all(this.#byPath.values());
    return credentials.flatMap(({ lease }) => (lease === null ? [] : [lease]));
  }

  /** Every value that must not be seen. */
  async secrets(): Promise<readonly string[]> {
    const credentials = await Promise.all(this.#byPath.values());
    return credentials.flatMap(({ data }) => secretTexts(data));
  }

  /** Forgets what was read, so that it is read anew. Its leases are still this object's to give back. */
  forget(): void {
    this.#byPath = new Map();
  }

  /**
   * Has everything that `read` asks for read anew. Where that fails, what was there before stays, and is renewed on. The leases
   * of either are still this object's to give back.
   */
  async anew<T>(read: () => Promise<T>): Promise<T> {
    const before = this.#byPath;
    this.#byPath = new Map();
    try {
      return await read();
    } catch (error) {
      this.#byPath = before;
      throw error;
    }
  }

  /** Has one path read anew: that of a lease which goes on no longer. */
  forgetLease(lease: HeldLease): void {
    for (const [path, credential] of this.#byPath)
      void credential.then((it) => it.lease === lease && this.#byPath.delete(path));
  }

  /** Has everything read anew that is under no lease, or could not be read. */
  forgetStatic(): void {
    const kept = [...this.#byPath].filter(([path]) => this.#isLeased.has(path));
    this.#byPath = new Map(kept);
  }

  /** Asks for the lease's first TTL again. @throws CommandFailure with the API's words when that is refused. */
  async renew(lease: HeldLease): Promise<void> {
    const response = await this.#send(lease, "sys/leases/renew", { increment: lease.ttlSeconds });
    const seconds = Number(bodyOf(response)?.lease_duration ?? 0);
    lease.expiresAt = this.#context.world.clock.now() + seconds * 1000;
  }

  /** Revokes everything that was leased, apart from what is still in use. @returns What could not be, with the reason. */
  async giveBack(except: readonly HeldLease[] = []): Promise<readonly string[]> {
    const ending = [...this.#leased].filter((lease) => !except.includes(lease));
    const problems = await Promise.all(ending.map((lease) => this.#revoke(lease)));
    return problems.flatMap((problem) => (problem === null ? [] : [problem]));
  }

  async #read(
    path: string,
    key: string,
    request: { readonly body?: JsonObject; readonly query?: JsonObject },
  ): Promise<Credential> {
    const { clock, env } = this.#context.world;
    const response = await this.#context.send(
      { method: request.body === undefined ? "GET" : "PUT", ...request, path, leaseFor: this.#purpose },
      { prefix: `Error reading ${path}`, nothingIsAnswer: true },
    );
    const body = bodyOf(response);
    const lease = leaseOf(body, await resolveToken(env), clock.now());
    if (lease !== null) {
      this.#leased.add(lease);
      this.#isLeased.add(key);
    }
    if (response.status === 404) return this.#readVersioned(path);
    if (body === undefined || !isJsonObject(body.data)) throw localFailure(`No value found at ${path}`);
    if (request.query === undefined)
      return { path, data: withoutVersion(body.data), whole: body.data, lease };
    return { path, lease, ...apartFromConnection(body.data) };
  }

  /** People leave out the part of a key/value path that `vsec kv` puts in for them. */
  async #readVersioned(path: string): Promise<Credential> {
    const { locate } = await import("../kv/location.ts");
    const location = await locate(this.#context, path, undefined).catch(() => null);
    const whole = location?.path("data");
    const response =
      whole === undefined || whole === path
        ? undefined
        : await this.#context.send(
            { method: "GET", path: whole },
            { prefix: `Error reading ${path}`, nothingIsAnswer: true },
          );
    const data = response === undefined ? undefined : bodyOf(response)?.data;
    if (response?.status !== 200 || !isJsonObject(data)) throw localFailure(`No value found at ${path}`);
    return { path, data: withoutVersion(data), whole: data, lease: null };
  }

  /** As the token's own lease, which needs no right to revoke those of others; else by that right. */
  async #revoke(lease: HeldLease): Promise<string | null> {
    try {
      await this.#send(lease, "sys/leases/release", {}).catch((error: unknown) => {
        if (!(error instanceof CommandFailure) || (error.status !== 403 && error.status !== 404)) throw error;
        return this.#send(lease, "sys/leases/revoke", { sync: true });
      });
      this.#leased.delete(lease);
      return null;
    } catch (error) {
      // One that the API refused is its own due work; it goes on being retried there.
      if (error instanceof CommandFailure && error.status !== undefined) this.#leased.delete(lease);
      return `${lease.id}: ${reasonOf(error)}`;
    }
  }

  #send({ id, token }: HeldLease, path: string, body: JsonObject): Promise<ApiResponse> {
    const options = { prefix: "", ...(token === undefined ? {} : { token }) };
    return this.#context.send({ method: "PUT", path, body: { lease_id: id, ...body } }, options);
  }
}

/** The sentence of a failure, without the block that is put around the API's. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error);
  const [, reason] = /Errors:\n\n\* ([\s\S]*)$/.exec(text) ?? [];
  return (reason ?? text).replace(/\s+/g, " ").trim();
}

function leaseOf(body: JsonObject | undefined, token: string | undefined, now: number): HeldLease | null {
  if (typeof body?.lease_id !== "string" || body.lease_id === "") return null;
  const ttlSeconds = Number(body.lease_duration ?? 0);
  const renewable = body.renewable === true;
  return { id: body.lease_id, token, renewable, ttlSeconds, expiresAt: now + ttlSeconds * 1000 };
}

/** The login by itself, as whoever did not ask for the connection gets it. */
function apartFromConnection(answer: JsonObject): Omit<Credential, "path" | "lease"> {
  const { connection_url: _, environment, tls_mode: tlsMode, tls_ca: authorities, ...data } = answer;
  if (!isJsonObject(environment)) return { data: withoutVersion(answer), whole: answer };
  const variables = Object.entries(environment).map(([name, value]) => [name, textOf(value)]);
  return {
    data,
    whole: data,
    connection: {
      environment: Object.fromEntries(variables),
      ...(typeof tlsMode === "string" ? { tlsMode } : {}),
      ...(typeof authorities === "string" ? { authorities } : {}),
    },
  };
}

/** A key/value secret with versions has its data in the data, beside what is known about the version. */
function withoutVersion(data: JsonObject): JsonObject {
  const { data: inner, metadata } = data;
  return isJsonObject(inner) && isJsonObject(metadata) && "version" in metadata ? inner : data;
}

/** A value as text: strings as they are, all else as JSON. */
export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function secretTexts(value: Json, name = ""): string[] {
  if (typeof value === "string") return PLAIN_FIELDS.has(name) ? [] : [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((item) => secretTexts(item, name));
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, item]) => secretTexts(item, key));
  return typeof value === "number" ? [String(value)] : [];
}
