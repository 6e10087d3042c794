import { ApiError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { Backend, MountContext } from "./backend.ts";

/** The token types that a role may ask for; "" and `default` leave it to the mount. */
export const ROLE_TOKEN_TYPES = [
  "",
  "default",
  "service",
  "batch",
  "default-service",
  "default-batch",
] as const;

export type RoleTokenType = (typeof ROLE_TOKEN_TYPES)[number];

/** What an auth method found out about who logs in, and on what terms: the core makes a token of it. */
export interface LoginGrant {
  /** The name of the caller within the method, "" for none; the token's display name puts the mount's before it. */
  readonly displayName: string;
  /** Who it is: the name that the method knows the caller by. Null: nobody in particular, no entity is kept. */
  readonly alias: { readonly name: string; readonly metadata: Readonly<Record<string, string>> } | null;
  readonly groupAliases: readonly string[];
  readonly policies: readonly string[];
  /** Shown in the answer, kept as the token's meta, and written by audit. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What {@link Backend.renewLogin} needs. Stored with the token, encrypted. */
  readonly internal: JsonObject;
  /** 0: the mount's default. */
  readonly ttlSeconds: number;
  /** 0: the mount's maximum. */
  readonly maxTtlSeconds: number;
  /** 0: none. */
  readonly explicitMaxTtlSeconds: number;
  /** 0: not periodic. */
  readonly periodSeconds: number;
  /** 0: unlimited. */
  readonly numUses: number;
  readonly boundCidrs: readonly string[];
  readonly noDefaultPolicy: boolean;
  readonly tokenType: RoleTokenType;
  readonly renewable: boolean;
}

/** The refusal of a login whose credentials are wrong; {@link LoginGuard} counts these and no others. */
export class InvalidCredentials extends ApiError {
  constructor(text: string) {
    super(400, text);
    this.name = "InvalidCredentials";
  }
}

/** Locks a name out after too many wrong credentials in a row. @see reference: tokens, use at request time. */
export interface LoginGuard {
  /**
   * Carries out a login of the alias.
   * @param alias - The name that the caller claims, known or not.
   * @throws ApiError 403 `permission denied` when the alias is locked, whatever `login` found; else what `login` throws.
   */
  attempt<T>(alias: string, login: () => Promise<T>): Promise<T>;
}

/** What a mounted auth method is given: an engine's means, and the guard of its logins. */
export interface AuthContext extends MountContext {
  readonly logins: LoginGuard;
}

/** How a type of auth method is known to the mount table. */
export interface AuthType {
  readonly type: string;
  readonly description: string;
  /** Loads the method's code on first use. */
  load(): Promise<(context: AuthContext) => Backend>;
}
