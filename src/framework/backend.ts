import type { Clock } from "../base/clock.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { LoginGrant } from "./auth.ts";
import type { Fields, Given, Values } from "./field.ts";
import type { LeasePlan, SecretType } from "./secret.ts";
import type { EngineStorage } from "./storage.ts";

/** What a request asks of a path. `create` is an update of something that is absent, on paths with an existence check. */
export type Operation = "create" | "read" | "update" | "patch" | "delete" | "list" | "help";

/** A request as a handler sees it: routed, authorised, its fields parsed. */
export interface EngineRequest<F extends Fields> {
  readonly operation: Operation;
  /** The path below the mount: `creds/readonly`. */
  readonly path: string;
  /** Every declared field: as given, else its default, else its type's zero value. */
  readonly values: Values<F>;
  /** Only what the caller gave. */
  readonly given: Given<F>;
  /**
   * The body (or query) as the caller gave it, undeclared parameters too (database connection details are passed on whole),
   * without what the URL's path gave.
   */
  readonly raw: JsonObject;
  /** The display name of the caller's token: `root`, `token`, `userpass-bob`. */
  readonly displayName: string;
  /** Stands for the caller's token, and tells nothing about it: the same for all that one token asks, and for no other's. */
  readonly callerId: string;
  /** The caller's token where the backend is the core's own (`sys/`, `auth/token/`, `cubbyhole/`); empty for engines. */
  readonly clientToken: string;
  /** The caller's network address, without a port. Null: the request came from this machine, not over a network. */
  readonly remoteAddress: string | null;
  /**
   * Puts the caller's identity into a text with templates such as `{{identity.entity.name}}`. Null: one of them stands for
   * nothing, or for what holds a `*` or `+`; also where nobody is known.
   */
  fillTemplate(text: string): Promise<string | null>;
  /** The request's headers that the mount lets through (`passthrough_request_headers`), by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of a path that takes one of another type than JSON. Null: there was none. */
  readonly content: Uint8Array | null;
  /** Only the head of the answer is wanted. */
  readonly isHead: boolean;
}

/** What a handler answers. Nothing: 204 after a write, 404 after a read. */
export interface Reply {
  readonly data?: JsonObject;
  readonly warnings?: readonly string[];
  /** A secret to be issued under a lease; its data becomes the answer's. */
  readonly lease?: LeasePlan;
  /**
   * A lease that stands already and that the answer's envelope names, as a renewal's does. With an empty id there is none, and
   * the envelope tells how long the data hold.
   */
  readonly renewed?: { readonly id: string; readonly renewable: boolean; readonly ttlSeconds: number };
  /** What an auth method found the caller to be; the core makes a token of it. */
  readonly login?: LoginGrant;
  /** The envelope's `auth`, of a token that was made or renewed. */
  readonly auth?: JsonObject;
  /** A status other than the usual one, such as 202 for work that goes on. */
  readonly status?: number;
  /** Sent as the whole body, without an envelope. */
  readonly bare?: Json;
  /** With a text as `bare`: its type. The text is then sent as it is, not as JSON. */
  readonly contentType?: string;
  /** Sent as the whole body, as {@link Reply.contentType}; without an envelope. */
  readonly bytes?: Uint8Array;
  /** Headers of the answer. An engine's are sent as far as its mount may set them (`allowed_response_headers`). */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler<F extends Fields> = (request: EngineRequest<F>) => Promise<Reply | undefined>;

/** One operation of a path. `summary` is one sentence for help and the OpenAPI document. */
export interface OperationSpec<F extends Fields> {
  readonly handler: Handler<F>;
  readonly summary: string;
}

export interface PathSpec<F extends Fields = Fields> {
  /**
   * Segments joined by `/`: a literal, `:name` (Vault's name rule, one segment), or `*name` (the rest, slashes included,
   * at least one segment), after which only literals may follow: `mounts/*path/tune`. Never with a trailing slash; LIST
   * requests match without theirs. Empty: the mount itself. Every name is a field. A literal wins over `:name`, which wins
   * over `*name`; among several rules for a `:name` the one declared first is tried first.
   */
  readonly pattern: string;
  /** Rules for `:name` segments that do not follow Vault's rule for names. Without flags; each has to match a whole segment. */
  readonly captures?: Readonly<Record<string, RegExp>>;
  readonly fields: F;
  readonly operations: {
    readonly read?: OperationSpec<F>;
    /** POST and PUT; also stands for create. */
    readonly update?: OperationSpec<F>;
    readonly patch?: OperationSpec<F>;
    readonly delete?: OperationSpec<F>;
    readonly list?: OperationSpec<F>;
  };
  /** Tells create from update for the policy check. Without it every write is an update. */
  readonly exists?: (request: EngineRequest<F>) => Promise<boolean>;
  /** Undeclared parameters are the path's business: no warning about them. */
  readonly takesAnyField?: boolean;
  /** A type of bodies, other than JSON, that writes take: `application/ocsp-request`. */
  readonly takesContent?: string;
  /** A read that answers HEAD too. Elsewhere a HEAD could issue what nobody gets to see. */
  readonly answersHead?: boolean;
  /** Needs no token. */
  readonly unauthenticated?: boolean;
  /** Needs the sudo capability besides the operation's own. */
  readonly sudo?: boolean;
  readonly help: { readonly synopsis: string; readonly description?: string };
}

/** Declares a path; its only use is that the field types reach the handlers. */
export function path<F extends Fields>(spec: PathSpec<F>): PathSpec {
  return spec as unknown as PathSpec;
}

/** What a mounted engine is given. It sees its own storage and nothing else. */
export interface MountContext {
  /** The mount's present path with its trailing slash, `database/`, for messages. */
  readonly mountPath: string;
  readonly accessor: string;
  /** The mount's present options, such as `version` of a kv mount. */
  readonly options: Readonly<Record<string, string>>;
  readonly storage: EngineStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The mount's effective TTLs: its own where tuned, else the system's. */
  readonly ttl: { readonly defaultSeconds: number; readonly maxSeconds: number };
  /**
   * A keyed hash, 64 hex characters, for what is looked up and must not be stored. The key is the store's; another mount's
   * hash of the same value, or this one's for another purpose, is a different one.
   */
  hash(purpose: string, value: string): string;
  /** The store's password policies, for making passwords by them; an engine does not see the policies themselves. */
  readonly passwords: PasswordSource;
  /** Whether there is a lease, of this mount or another, whose credential the backend calls so. See {@link LeasePlan.principal}. */
  hasLease(principal: string): Promise<boolean>;
}

/** Makes passwords by the policies of `sys/policies/password`. */
export interface PasswordSource {
  /** @param policy - A policy's name. @throws BACKEND when there is none of that name. */
  generate(policy: string): Promise<string>;
}

/** An engine, mounted. */
export interface Backend {
  /** Shown by path-help of the mount itself. */
  readonly help: string;
  readonly paths: readonly PathSpec[];
  readonly secrets: readonly SecretType[];
  /**
   * Reads role or user again for the renewal of a token that this auth method granted.
   * @param internal - {@link LoginGrant.internal} of the login.
   * @returns Null: there is nothing to renew any more. @throws ApiError when renewal is refused.
   */
  renewLogin?(internal: JsonObject): Promise<LoginGrant | null>;
  /** Called when an entry that the engine wrote with a due time is due. Throwing means: again later, with backoff. */
  due?(key: string): Promise<void>;
  /**
   * Whether nothing is left of what the engine has made outside under records of its own, beside leases. Asked when the mount has
   * been disabled and its last lease is gone; only then its data go, and what is due in it goes on until then.
   */
  isClear?(): Promise<boolean>;
  /** Ends connections and timers. */
  close?(): Promise<void>;
}

/** How an engine type is known to the mount table. */
export interface EngineType {
  readonly type: string;
  readonly description: string;
  /** Loads the engine's code on first use. */
  load(): Promise<(context: MountContext) => Backend>;
}
