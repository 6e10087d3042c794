import type { Reason } from "../reason.ts";

const STATIC_ROLES = "static roles are not there yet";

export const REASONS: readonly Reason[] = [
  {
    path: "database/config/{name}",
    parameters: [
      "disable_automated_rotation",
      "rotation_period",
      "rotation_schedule",
      "rotation_window",
      "skip_static_role_import_rotation",
    ],
    reason: "of Vault's enterprise edition, and not there yet",
  },
  {
    path: "database/reload/{plugin_name}",
    reason: "plugins are part of the binary: there is nothing to reload",
  },
  { path: "database/rotate-role/{name}", reason: STATIC_ROLES },
  { path: "database/static-creds/{name}", reason: STATIC_ROLES },
  { path: "database/static-roles/*", reason: STATIC_ROLES },
];
