import { ApiError, aggregate } from "../base/errors.ts";
import { VERSION } from "../contract/version.ts";
import type { ApiResponse } from "../contract/wire.ts";
import type { Backend } from "../framework/backend.ts";
import { findPath, helpText } from "../framework/help.ts";
import { openapiDocument, openapiForPath } from "../framework/openapi.ts";
import type { Services } from "./services.ts";

/** What the documents say of themselves. */
export const API_INFO = { title: "vsec API", description: "Dynamic secrets with leases.", version: VERSION };

/**
 * The answer to a request for help: a top-level object, without an envelope. Help needs no token.
 * @throws ApiError 404 for a path that no mount has.
 */
export async function helpFor(services: Services, path: string): Promise<ApiResponse> {
  const route = await routeOf(services, path);
  if (route === null) {
    throw new ApiError(404, `no handler for route "${path.replace(/\/$/, "")}". route entry not found.`);
  }
  const below = path.slice(route.mountPath.length).replace(/\/$/, "");
  const help = helpText(route.backend, below);
  if (help === undefined) throw new ApiError(404, aggregate("unsupported path"));
  const spec = below === "" ? undefined : findPath(route.backend, below);
  const openapi =
    spec === undefined ? openapiDocument([route], API_INFO) : openapiForPath(route.mountPath, spec, API_INFO);
  return { status: 200, body: { help, see_also: null, openapi } };
}

interface HelpRoute {
  readonly mountPath: string;
  readonly backend: Backend;
}

async function routeOf(services: Services, path: string): Promise<HelpRoute | null> {
  for (const [mountPath, backend] of services.mounts.builtin) {
    if (`${path}/`.startsWith(mountPath)) return { mountPath, backend };
  }
  const entry = await services.mounts.entryFor(path);
  if (entry === null) return null;
  const { backend } = await services.mounts.load(entry);
  return { mountPath: entry.path, backend };
}
