/** Calls that do not pass, and why. */
export interface Lack {
  /** Names, space by space. */
  readonly calls: string;
  readonly reason: string;
}

/** One part of a client, and each of its calls: those that tests make, with success, and the others. */
export interface CallGroup {
  /** What its users write before a call's name; "" where they write nothing but the client. */
  readonly prefix: string;
  /** Names, space by space. */
  readonly passes: string;
  readonly lacks: readonly Lack[];
}

/** A client that others wrote. */
export interface VaultClient {
  readonly name: string;
  readonly language: string;
  readonly version: string;
  readonly groups: readonly CallGroup[];
}

const RAFT = "a store is shared through its database; there is no cluster of servers";
const ENTERPRISE = "of Vault's enterprise edition";
const NO_METHOD = "no such auth method";
const GROUPS = "groups of entities are not there yet";
const ID_TOKENS = "signed identity tokens are not there yet";
const STATIC_ROLES = "static roles are not there yet";

/** Each call's name is that of the client's method. */
export const NODE_VAULT: VaultClient = {
  name: "node-vault",
  language: "Node",
  version: "0.12.0",
  groups: [
    {
      prefix: "",
      passes:
        "read write update list delete help " +
        "initialized init status unseal seal health leader stepDown " +
        "mounts mount unmount remount policies addPolicy getPolicy removePolicy " +
        "auths enableAuth disableAuth audits enableAudit disableAudit " +
        "renew revoke revokePrefix rotate unwrap generateRootInit generateRootUpdate generateRootCancel " +
        "tokenCreate tokenCreateOrphan tokenCreateRole tokenLookup tokenLookupSelf tokenLookupAccessor " +
        "tokenAccessors tokenRenew tokenRenewSelf tokenRevoke tokenRevokeSelf tokenRevokeAccessor tokenRevokeOrphan " +
        "tokenRoles addTokenRole getTokenRole removeTokenRole " +
        "approleRoles addApproleRole getApproleRole deleteApproleRole getApproleRoleId updateApproleRoleId " +
        "getApproleRoleSecret approleSecretAccessors approleSecretLookup approleSecretDestroy " +
        "approleSecretAccessorLookup approleSecretAccessorDestroy approleLogin " +
        "userpassLogin jwtLogin generateDatabaseCredentials destroySecretVersions " +
        "encryptData decryptData rewrapData transitCreateKey transitReadKey transitListKeys transitDeleteKey",
      lacks: [
        {
          calls:
            "kubernetesLogin addKubernetesRole getKubernetesRole deleteKubernetesRole githubLogin ldapLogin oktaLogin radiusLogin certLogin gcpLogin awsIamLogin",
          reason: NO_METHOD,
        },
      ],
    },
  ],
};

const HVAC_SYSTEM: CallGroup = {
  prefix: "sys.",
  passes:
    "is_initialized read_init_status initialize is_sealed read_seal_status submit_unseal_key submit_unseal_keys seal " +
    "read_health_status read_leader_status step_down " +
    "list_mounted_secrets_engines enable_secrets_engine disable_secrets_engine read_mount_configuration " +
    "tune_mount_configuration retrieve_mount_option move_backend " +
    "list_auth_methods enable_auth_method disable_auth_method read_auth_method_tuning tune_auth_method " +
    "list_policies read_policy create_or_update_policy delete_policy " +
    "list_acl_policies read_acl_policy create_or_update_acl_policy delete_acl_policy get_capabilities " +
    "list_enabled_audit_devices enable_audit_device disable_audit_device calculate_hash " +
    "read_lease list_leases renew_lease revoke_lease revoke_prefix revoke_force wrap unwrap " +
    "get_encryption_key_status rotate_encryption_key " +
    "read_root_generation_progress start_root_token_generation generate_root cancel_root_generation " +
    "read_rekey_progress start_rekey rekey rekey_multi cancel_rekey " +
    "read_rekey_verify_progress rekey_verify rekey_verify_multi cancel_rekey_verify",
  lacks: [
    { calls: "read_backup_keys", reason: "a backup of shares needs PGP keys, which are not supported" },
    { calls: "list_namespaces create_namespace delete_namespace", reason: ENTERPRISE },
    {
      calls:
        "list_egp_policies read_egp_policy create_or_update_egp_policy delete_egp_policy " +
        "list_rgp_policies read_rgp_policy create_or_update_rgp_policy delete_rgp_policy",
      reason: ENTERPRISE,
    },
    {
      calls: "list_quotas read_quota create_or_update_quota delete_quota",
      reason: "there are no quotas yet",
    },
    {
      calls:
        "join_raft_cluster read_raft_config remove_raft_node take_raft_snapshot restore_raft_snapshot force_restore_raft_snapshot " +
        "list_raft_auto_snapshot_configs read_raft_auto_snapshot_config create_or_update_raft_auto_snapshot_config " +
        "delete_raft_auto_snapshot_config read_raft_auto_snapshot_status",
      reason: RAFT,
    },
  ],
};

const HVAC_AUTH: readonly CallGroup[] = [
  {
    prefix: "auth.token.",
    passes:
      "create create_orphan lookup lookup_self lookup_accessor list_accessors renew renew_self renew_accessor " +
      "revoke revoke_self revoke_accessor revoke_and_orphan_children tidy " +
      "create_or_update_role read_role list_roles delete_role",
    lacks: [],
  },
  {
    prefix: "auth.approle.",
    passes:
      "create_or_update_approle list_roles read_role delete_role read_role_id update_role_id " +
      "generate_secret_id create_custom_secret_id read_secret_id destroy_secret_id " +
      "list_secret_id_accessors read_secret_id_accessor destroy_secret_id_accessor login",
    lacks: [],
  },
  {
    prefix: "auth.userpass.",
    passes: "create_or_update_user list_user read_user delete_user update_password_on_user login",
    lacks: [],
  },
  {
    prefix: "auth.jwt.",
    passes: "configure read_config create_role list_roles read_role delete_role jwt_login",
    lacks: [
      {
        calls: "oidc_authorization_url_request oidc_callback",
        reason: "the browser login of OIDC roles; roles are of type jwt",
      },
      { calls: "resolve_path", reason: "asks the server nothing" },
    ],
  },
];

const HVAC_SECRETS: readonly CallGroup[] = [
  {
    prefix: "secrets.kv.v1.",
    passes: "create_or_update_secret read_secret list_secrets delete_secret",
    lacks: [],
  },
  {
    prefix: "secrets.kv.v2.",
    passes:
      "configure read_configuration create_or_update_secret patch read_secret read_secret_version list_secrets " +
      "delete_latest_version_of_secret delete_secret_versions undelete_secret_versions destroy_secret_versions " +
      "update_metadata read_secret_metadata delete_metadata_and_all_versions",
    lacks: [],
  },
  {
    prefix: "secrets.database.",
    passes:
      "configure read_connection list_connections delete_connection reset_connection rotate_root_credentials " +
      "create_role read_role list_roles delete_role generate_credentials",
    lacks: [
      {
        calls:
          "create_static_role read_static_role list_static_roles delete_static_role get_static_credentials rotate_static_role_credentials",
        reason: STATIC_ROLES,
      },
    ],
  },
  {
    prefix: "secrets.transit.",
    passes:
      "create_key read_key list_keys delete_key update_key_configuration rotate_key export_key encrypt_data decrypt_data " +
      "rewrap_data generate_data_key generate_random_bytes hash_data generate_hmac sign_data verify_signed_data backup_key " +
      "restore_key trim_key",
    lacks: [],
  },
  {
    prefix: "secrets.ssh.",
    passes:
      "create_role read_role list_roles delete_role list_zeroaddress_roles configure_zeroaddress_roles " +
      "delete_zeroaddress_role generate_ssh_credentials list_roles_by_ip verify_ssh_otp submit_ca_information " +
      "delete_ca_information read_public_key sign_ssh_key",
    lacks: [
      {
        calls: "create_or_update_key delete_key",
        reason: "keys of roles of type dynamic, which Vault has no more",
      },
    ],
  },
  {
    prefix: "secrets.identity.",
    passes:
      "create_or_update_entity create_or_update_entity_by_name read_entity read_entity_by_name update_entity " +
      "delete_entity delete_entity_by_name list_entities list_entities_by_name lookup_entity merge_entities " +
      "create_or_update_entity_alias read_entity_alias update_entity_alias list_entity_aliases delete_entity_alias",
    lacks: [
      {
        calls:
          "create_or_update_group create_or_update_group_by_name read_group read_group_by_name update_group delete_group " +
          "delete_group_by_name list_groups list_groups_by_name lookup_group create_or_update_group_alias read_group_alias " +
          "update_group_alias list_group_aliases delete_group_alias",
        reason: GROUPS,
      },
      {
        calls:
          "configure_tokens_backend read_tokens_backend_configuration create_named_key read_named_key list_named_keys " +
          "rotate_named_key delete_named_key create_or_update_role read_role list_roles delete_role generate_signed_id_token " +
          "introspect_signed_id_token read_well_known_configurations read_active_public_keys",
        reason: ID_TOKENS,
      },
    ],
  },
];

/** The client itself, whose older calls by path many scripts use. */
const HVAC_CLIENT: CallGroup = {
  prefix: "client.",
  passes:
    "is_authenticated read write write_data list delete lookup_token renew_token revoke_token logout get_policy",
  lacks: [],
};

export const HVAC: VaultClient = {
  name: "hvac",
  language: "Python",
  version: "2.4.0",
  groups: [HVAC_SYSTEM, ...HVAC_AUTH, ...HVAC_SECRETS, HVAC_CLIENT],
};

export const CLIENTS: readonly VaultClient[] = [NODE_VAULT, HVAC];

/** The names in a text, each with the prefix. */
export function namesIn({ prefix }: Pick<CallGroup, "prefix">, text: string): readonly string[] {
  return text
    .split(" ")
    .filter((name) => name !== "")
    .map((name) => `${prefix}${name}`);
}

/** The calls that pass. */
export function passing({ groups }: VaultClient): readonly string[] {
  return groups.flatMap((group) => namesIn(group, group.passes));
}

/** All calls of the client's parts that are looked at. */
export function callsOf(client: VaultClient): readonly string[] {
  const lacking = client.groups.flatMap((group) => group.lacks.flatMap(({ calls }) => namesIn(group, calls)));
  return [...passing(client), ...lacking];
}
