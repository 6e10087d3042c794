import type { EngineRequest } from "../framework/backend.ts";
import type { Fields } from "../framework/field.ts";
import type { Caller } from "./tokens/caller.ts";

/** What the caller may, as far as the core's own backends ask. The compiled policies have it. */
export interface CallerRights {
  readonly isRoot: boolean;
  /** What the caller may do at a path: names of capabilities, `root` among them for root. */
  capabilities(path: string): readonly string[];
}

/** What the core's own backends (`sys/`, `auth/token/`, `cubbyhole/`, `identity/`) get beyond what an engine does. */
export interface BuiltinRequest {
  readonly caller: Caller;
  /** Null: the request came from this machine, not over a network. */
  readonly remoteAddress: string | null;
  readonly acl: CallerRights;
  /** The header Accept; empty: none came. */
  readonly accept: string;
}

/** The request as a backend of the core's own sees it. @throws TypeError on a path that needs no token and had none. */
export function builtinRequest<F extends Fields>(
  request: EngineRequest<F>,
): EngineRequest<F> & BuiltinRequest {
  const builtin = request as EngineRequest<F> & Partial<BuiltinRequest>;
  if (builtin.caller === undefined || builtin.acl === undefined) {
    throw new TypeError("a request without a caller reached a path that needs one");
  }
  return builtin as EngineRequest<F> & BuiltinRequest;
}

/** Whether the caller has sudo at the path. */
export function hasSudo({ acl }: BuiltinRequest, path: string): boolean {
  return acl.isRoot || acl.capabilities(path).includes("sudo");
}
