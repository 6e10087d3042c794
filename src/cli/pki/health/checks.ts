import type { HealthCheck } from "./check.ts";
import { roleAllowsGlobWildcards, roleAllowsLocalhost, roleNoStoreFalse } from "./role-checks.ts";
import { hardwareBackedRoot, rootIssuedLeaves } from "./root-checks.ts";
import { allowAcmeHeaders, allowIfModifiedSince, auditVisibility } from "./tuning-checks.ts";
import { enableAcmeIssuance, enableAutoTidy, tidyLastRun, tooManyCerts } from "./upkeep-checks.ts";
import { caValidityPeriod, crlValidityPeriod } from "./validity-checks.ts";

/** All checks, in the order in which they run. @see reference: CLI, pki health-check. */
export const HEALTH_CHECKS: readonly HealthCheck[] = [
  caValidityPeriod,
  crlValidityPeriod,
  hardwareBackedRoot,
  rootIssuedLeaves,
  roleAllowsLocalhost,
  roleAllowsGlobWildcards,
  roleNoStoreFalse,
  auditVisibility,
  allowIfModifiedSince,
  enableAutoTidy,
  tidyLastRun,
  tooManyCerts,
  enableAcmeIssuance,
  allowAcmeHeaders,
];
