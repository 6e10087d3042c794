import type { Backend, PathSpec } from "../framework/backend.ts";
import { matchPath } from "../framework/path-match.ts";
import type { MountEntry } from "./mounts/table.ts";
import type { Services } from "./services.ts";

/** Where a request goes: a mount's engine or auth method, or one of the core's own backends. */
export interface Route {
  /** With its trailing slash. */
  readonly mountPath: string;
  readonly mountType: string;
  readonly backend: Backend;
  /** Null for the core's own. */
  readonly entry: MountEntry | null;
  /** The request's path below the mount. */
  readonly below: string;
  /** The path that the request is for; undefined when the backend has none such. */
  readonly spec: PathSpec | undefined;
}

const OWN_TYPES: Readonly<Record<string, string>> = {
  "sys/": "system",
  "auth/token/": "token",
  "cubbyhole/": "cubbyhole",
  "identity/": "identity",
};

/** Null: nothing is mounted there. */
export async function findRoute(services: Services, path: string): Promise<Route | null> {
  const { mounts } = services;
  const own = mounts.builtins.pathFor(path);
  if (own !== null) {
    return routeTo(path, own, OWN_TYPES[own] ?? "system", await mounts.builtins.at(own), null);
  }
  const entry = await mounts.entryFor(path);
  if (entry === null) return null;
  const { backend } = await mounts.load(entry);
  return routeTo(path, entry.path, entry.type, backend, entry);
}

function routeTo(
  path: string,
  mountPath: string,
  mountType: string,
  backend: Backend,
  entry: MountEntry | null,
): Route {
  const below = path.slice(mountPath.length);
  return { mountPath, mountType, backend, entry, below, spec: matchPath(backend, below)?.spec };
}
