import type { Backend, PathSpec } from "../../framework/backend.ts";
import { auditPaths } from "../audit/paths.ts";
import { capabilityPaths } from "../policies/capability-paths.ts";
import { policyPaths } from "../policies/policy-paths.ts";
import type { Services } from "../services.ts";
import { aclOfToken } from "../standing.ts";
import { wrappingPaths } from "../wrapping/paths.ts";
import { authMountPaths } from "./auth-paths.ts";
import { hostInfoPaths } from "./host-info-paths.ts";
import { internalUiPaths } from "./internal-ui-paths.ts";
import { irrevocablePaths } from "./irrevocable-paths.ts";
import { keyPaths } from "./key-paths.ts";
import { leaseDetailsPaths } from "./lease-details-paths.ts";
import { leasePaths } from "./lease-paths.ts";
import { metricsPaths } from "./metrics-paths.ts";
import { mountPaths } from "./mount-paths.ts";
import { remountPaths } from "./remount-paths.ts";
import { specPaths } from "./spec-paths.ts";

/** The core's own API below `sys/`. */
export function systemBackend(services: Services, sealPaths: readonly PathSpec[]): Backend {
  return {
    help: "The system backend controls what is mounted, the leases, and the store's keys.",
    paths: [
      ...sealPaths,
      ...mountPaths(services),
      ...authMountPaths(services),
      ...policyPaths(services),
      ...capabilityPaths(services, (record) => aclOfToken(services, record)),
      ...wrappingPaths(services),
      ...auditPaths(services, services.audit),
      ...remountPaths(services),
      ...leasePaths(services),
      ...leaseDetailsPaths(services),
      ...irrevocablePaths(services),
      ...keyPaths(services),
      ...internalUiPaths(services),
      ...specPaths(services),
      ...metricsPaths(services),
      ...hostInfoPaths(services),
    ],
    secrets: [],
  };
}
