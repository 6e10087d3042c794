import type { Reason } from "../reason.ts";

const OPENBAO = "OpenBao's own; Vault has no such parameter";
const RECOVERY =
  "there are no recovery keys: shares unseal, and a seal that keeps the root key whole has none";
const PLUGINS = "engines and methods are part of the binary; there are no plugins to register or choose";
const CLUSTER = "a store is shared through its database; there is no cluster of servers";
const SERVER = "there is no server process to ask: a command runs its own request";
const UI = "there is no web interface";
const OIDC_LOGIN = "the browser login of OIDC roles; roles are of type jwt";

const STRICT_IP = ["token_strictly_bind_ip"];
const POLICY_OPENBAO = [
  "allow_slashes_in_identity_templates",
  "allow_wildcards_in_identity_templates",
  "cas",
  "cas_required",
  "expiration",
  "ttl",
];

export const REASONS: readonly Reason[] = [
  { path: "auth/approle/role/{role_name}", parameters: STRICT_IP, reason: OPENBAO },
  { path: "auth/jwt/config", parameters: ["oidc_response_mode", "oidc_response_types"], reason: OIDC_LOGIN },
  {
    path: "auth/jwt/config",
    parameters: ["override_allowed_server_names", "skip_jwks_validation"],
    reason: OPENBAO,
  },
  { path: "auth/jwt/role/{name}", parameters: ["oauth2_metadata", "oidc_scopes"], reason: OIDC_LOGIN },
  {
    path: "auth/jwt/role/{name}",
    parameters: [
      "callback_mode",
      "oidc_disable_confirmation",
      "poll_interval",
      "token_policies_template_claims",
      "token_strictly_bind_ip",
    ],
    reason: OPENBAO,
  },
  {
    path: "auth/kubernetes/*",
    reason: "no such method; a service account's token is a JWT that the method jwt takes",
  },
  {
    path: "auth/userpass/users/{username}",
    parameters: ["password_hash", ...STRICT_IP],
    reason: OPENBAO,
  },
  { path: "auth/userpass/users/{username}/password", parameters: ["password_hash"], reason: OPENBAO },
  { path: "sys/auth/{path}", parameters: ["plugin_version"], reason: PLUGINS },
  { path: "sys/auth/{path}/tune", parameters: ["plugin_version"], reason: PLUGINS },
  { path: "sys/mounts/{path}", parameters: ["plugin_version"], reason: PLUGINS },
  { path: "sys/mounts/{path}/tune", parameters: ["plugin_version"], reason: PLUGINS },
  { path: "sys/plugins/*", reason: PLUGINS },
  {
    path: "sys/policies/acl/{name}",
    operations: ["list", "patch"],
    parameters: POLICY_OPENBAO,
    reason: OPENBAO,
  },
  { path: "sys/policies/detailed/*", reason: OPENBAO },
  { path: "sys/policy/{name}", parameters: POLICY_OPENBAO, reason: OPENBAO },
  {
    path: "sys/policy/{name}",
    operations: ["list"],
    reason: "a policy's name is one segment, or one with slashes: nothing is below it to be listed",
  },
  {
    path: "sys/policies/password/*",
    reason: "passwords are made to one rule for each database; policies for them are not there yet",
  },
  {
    path: "sys/leases/tidy",
    reason: "a lease and what finds it are one commit: there are no strays to tidy",
  },
  { path: "sys/control-group/*", reason: "control groups are of Vault's enterprise edition" },
  { path: "sys/config/cors", reason: UI },
  { path: "sys/config/ui/*", reason: UI },
  { path: "sys/internal/ui/namespaces", reason: "there are no namespaces" },
  { path: "sys/config/reload/{subsystem}", reason: SERVER },
  { path: "sys/config/state/sanitized", reason: SERVER },
  { path: "sys/in-flight-req", reason: SERVER },
  { path: "sys/internal/counters/*", reason: "nothing is counted: Vault's figures serve its licence" },
  { path: "sys/internal/inspect/*", reason: "shows Vault's own data structures" },
  {
    path: "sys/internal/specs/openapi",
    operations: ["update"],
    parameters: ["context", "generic_mount_paths"],
    access: "token",
    reason: "the document is that of what is mounted, for who may read it",
  },
  { path: "sys/loggers/*", reason: "the daemon's log level is a flag of `vsec daemon`" },
  { path: "sys/monitor", reason: SERVER },
  { path: "sys/quotas/*", reason: "there are no quotas yet" },
  { path: "sys/version-history", reason: "the store does not keep which versions have used it" },
  { path: "sys/ha-status", reason: CLUSTER },
  { path: "sys/storage/raft/*", reason: CLUSTER },
  {
    path: "sys/generate-root-token/*",
    reason: "OpenBao's own; `sys/generate-root` is served",
  },
  { path: "sys/rekey/backup", access: "sudo", reason: "it is the operators' alone" },
  { path: "sys/rekey/recovery-key-backup", reason: RECOVERY },
  {
    path: "sys/rekey-recovery-key/init",
    parameters: ["backup", "pgp_keys", "require_verification", "secret_shares", "secret_threshold"],
    reason: RECOVERY,
  },
  { path: "sys/rekey-recovery-key/update", parameters: ["key", "nonce"], reason: RECOVERY },
  { path: "sys/rekey-recovery-key/verify", parameters: ["key", "nonce"], reason: RECOVERY },
  { path: "sys/rotate/recovery/*", reason: RECOVERY },
  { path: "sys/rotate/root/*", reason: "OpenBao's own; `sys/rekey` is served" },
  {
    path: "sys/rotate/keyring/*",
    reason: "newer names; `sys/rotate` adds a key, and the daemon does when one has been used for long",
  },
  {
    path: "sys/rotate/config",
    reason: "the daemon adds a key when one has been used for long; the limit is fixed",
  },
  { path: "sys/tools/*", reason: "hashing and random numbers need no store" },
];
