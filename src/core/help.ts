import { ApiError, aggregate } from "../base/errors.ts";
import { VERSION } from "../contract/version.ts";
import type { ApiResponse } from "../contract/wire.ts";
import { findPath, helpText } from "../framework/help.ts";
import { openapiDocument, openapiForPath } from "../framework/openapi.ts";
import { findRoute } from "./route.ts";
import type { Services } from "./services.ts";

/** What the documents say of themselves. */
export const API_INFO = { title: "vsec API", description: "Dynamic secrets with leases.", version: VERSION };

/**
 * The answer to a request for help: a top-level object, without an envelope. Policies do not bind it.
 * @throws ApiError 404 for a path that no mount has.
 */
export async function helpFor(services: Services, path: string): Promise<ApiResponse> {
  const route = await findRoute(services, path);
  if (route === null) {
    throw new ApiError(404, `no handler for route "${path.replace(/\/$/, "")}". route entry not found.`);
  }
  const below = route.below.replace(/\/$/, "");
  const help = helpText(route.backend, below);
  if (help === undefined) throw new ApiError(404, aggregate("unsupported path"));
  const spec = below === "" ? undefined : findPath(route.backend, below);
  const openapi =
    spec === undefined ? openapiDocument([route], API_INFO) : openapiForPath(route.mountPath, spec, API_INFO);
  return { status: 200, body: { help, see_also: null, openapi } };
}
