import type { MountContext, PathSpec } from "../../../framework/backend.ts";
import { accountEndpoints } from "./account-endpoints.ts";
import { authorizationEndpoints } from "./authorization-endpoints.ts";
import { acmeConfigPath } from "./config.ts";
import { directoryPaths } from "./directory-paths.ts";
import { eabPaths } from "./eab.ts";
import { endpointPaths } from "./endpoint.ts";
import { orderEndpoints } from "./order-endpoints.ts";
import { revokeEndpoint } from "./revoke-endpoint.ts";
import { acmeService } from "./service.ts";
import type { CertificateSource } from "./source.ts";

/** All paths of ACME (RFC 8555), and what configures it. */
export function acmePaths(context: MountContext, source: CertificateSource): readonly PathSpec[] {
  const service = acmeService(context, source);
  const endpoints = [
    ...accountEndpoints(service),
    ...orderEndpoints(service),
    ...authorizationEndpoints(service),
    revokeEndpoint(service),
  ];
  return [
    acmeConfigPath(context, source),
    ...eabPaths(service),
    ...directoryPaths(service),
    ...endpoints.flatMap((endpoint) => endpointPaths(service, endpoint)),
  ];
}
