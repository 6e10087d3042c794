import type { Catalogue, CommandEntry } from "../command.ts";

const command = (words: string, synopsis: string, load: CommandEntry["load"]): CommandEntry => ({
  words,
  synopsis,
  load,
});

const hidden: typeof command = (...args) => ({ ...command(...args), hidden: true });

/** Every command: one line each. Only the chosen one's module is loaded. */
export const CATALOGUE: Catalogue = {
  commands: [
    command("read", "Read data and issue credentials", () => import("./data/read.ts")),
    command("write", "Write data, configuration, and secrets", () => import("./data/write.ts")),
    command("patch", "Change parts of data", () => import("./data/patch.ts")),
    command("list", "List what is under a path", () => import("./data/list.ts")),
    command("delete", "Delete data and configuration", () => import("./data/delete.ts")),
    command("status", "Show the state of the store and its seal", () => import("./system/status.ts")),
    command("doctor", "Find what needs a hand", () => import("./system/doctor.ts")),
    command("login", "Log in and remember the token", () => import("./token/login.ts")),
    command("unwrap", "Show what a wrapping token wraps", () => import("./data/unwrap.ts")),
    command("path-help", "Show the help of a path", () => import("./system/path-help.ts")),
    command("daemon", "Serve the API, and revoke what has expired", () => import("./system/daemon.ts")),
    command("server", "Another name for daemon", () => import("./system/daemon.ts")),
    command("completion", "Print a completion script for a shell", () => import("./system/completion.ts")),
    command("config list", "List the settings", () => import("./config/list.ts")),
    command("config get", "Print a setting", () => import("./config/get.ts")),
    command("config set", "Set a default", () => import("./config/set.ts")),
    command("config unset", "Take a setting away", () => import("./config/unset.ts")),
    hidden("complete", "Print what a word may become", () => import("./system/complete.ts")),
    hidden("version", "Print the version", () => import("./system/version.ts")),
    command("print token", "Print the token in use", () => import("./token/print.ts")),
    command("policy write", "Upload a policy", () => import("./policy/write.ts")),
    command("policy read", "Print a policy", () => import("./policy/read.ts")),
    command("policy list", "List the policies", () => import("./policy/list.ts")),
    command("policy delete", "Delete a policy", () => import("./policy/delete.ts")),
    command("policy fmt", "Format a policy file", () => import("./policy/fmt.ts")),
    command("token create", "Create a token", () => import("./token/create.ts")),
    command("token lookup", "Show a token", () => import("./token/lookup.ts")),
    command("token renew", "Make a token live longer", () => import("./token/renew.ts")),
    command("token revoke", "Revoke a token and all it holds", () => import("./token/revoke.ts")),
    command(
      "token capabilities",
      "Show what a token may do at a path",
      () => import("./token/capabilities.ts"),
    ),
    command("auth enable", "Enable an auth method", () => import("./auth/enable.ts")),
    command("auth disable", "Disable an auth method", () => import("./auth/disable.ts")),
    command("auth list", "List the enabled auth methods", () => import("./auth/list.ts")),
    command("auth move", "Move an auth method to another path", () => import("./auth/move.ts")),
    command("auth tune", "Change an auth method's settings", () => import("./auth/tune.ts")),
    command("auth help", "Show how to log in by an auth method", () => import("./auth/help.ts")),
    command("audit enable", "Enable an audit device", () => import("./audit/enable.ts")),
    command("audit disable", "Disable an audit device", () => import("./audit/disable.ts")),
    command("audit list", "List the enabled audit devices", () => import("./audit/list.ts")),
    command("secrets enable", "Enable a secrets engine", () => import("./secrets/enable.ts")),
    command("secrets disable", "Disable a secrets engine", () => import("./secrets/disable.ts")),
    command("secrets list", "List the enabled secrets engines", () => import("./secrets/list.ts")),
    command("secrets move", "Move a secrets engine to another path", () => import("./secrets/move.ts")),
    command("secrets tune", "Change a secrets engine's settings", () => import("./secrets/tune.ts")),
    command("kv get", "Show a secret", () => import("./kv/get.ts")),
    command("kv put", "Write a secret", () => import("./kv/put.ts")),
    command("kv patch", "Change parts of a secret", () => import("./kv/patch.ts")),
    command("kv list", "List secrets", () => import("./kv/list.ts")),
    command("kv delete", "Delete a secret, or versions of it", () => import("./kv/delete.ts")),
    command("kv undelete", "Undelete versions of a secret", () => import("./kv/undelete.ts")),
    command("kv destroy", "Destroy versions of a secret", () => import("./kv/destroy.ts")),
    command("kv rollback", "Go back to an earlier version of a secret", () => import("./kv/rollback.ts")),
    command(
      "kv enable-versioning",
      "Give the secrets of a mount versions",
      () => import("./kv/enable-versioning.ts"),
    ),
    command("kv metadata get", "Show what is known about a secret", () => import("./kv/metadata-get.ts")),
    command("kv metadata put", "Change the settings of a secret", () => import("./kv/metadata-put.ts")),
    command(
      "kv metadata patch",
      "Change parts of the settings of a secret",
      () => import("./kv/metadata-patch.ts"),
    ),
    command(
      "kv metadata delete",
      "Remove a secret with all its versions",
      () => import("./kv/metadata-delete.ts"),
    ),
    command("lease list", "List leases, with the time that is left", () => import("./lease/list.ts")),
    command("lease lookup", "Show a lease", () => import("./lease/lookup.ts")),
    command("lease renew", "Extend a lease", () => import("./lease/renew.ts")),
    command("lease revoke", "Revoke leases and their credentials", () => import("./lease/revoke.ts")),
    command(
      "aws credential-process",
      "Give credentials to the AWS command line and SDKs",
      () => import("./aws/credential-process.ts"),
    ),
    command("operator init", "Create a store", () => import("./operator/init.ts")),
    command("operator unseal", "Unseal a store", () => import("./operator/unseal.ts")),
    command("operator seal", "Seal a store", () => import("./operator/seal.ts")),
    command("operator rekey", "Replace the keys that unseal a store", () => import("./operator/rekey.ts")),
    command(
      "operator generate-root",
      "Make a root token with the store's keys",
      () => import("./operator/generate-root.ts"),
    ),
    command("operator rotate", "Add a new encryption key", () => import("./operator/rotate.ts")),
    command(
      "operator key-status",
      "Show the current encryption key",
      () => import("./operator/key-status.ts"),
    ),
  ],
  groups: [
    {
      words: "secrets",
      synopsis: "Work with secrets engines",
      description: "Enable, disable, list, move and tune secrets engines.",
    },
    {
      words: "policy",
      synopsis: "Work with policies",
      description:
        "Write, read, list, delete and format policies. A policy says which paths a token may use, and how; what none of a token's policies allows is denied.",
    },
    {
      words: "token",
      synopsis: "Work with tokens",
      description:
        "Create, look up, renew and revoke tokens, and see what they may do. A lease belongs to the token that asked for it, and ends with it.",
    },
    {
      words: "auth",
      synopsis: "Work with auth methods",
      description: "Enable, disable, list, move and tune the methods by which people and machines log in.",
    },
    {
      words: "audit",
      synopsis: "Work with audit devices",
      description: "Enable, disable and list the devices that record every request and every answer.",
    },
    {
      words: "kv",
      synopsis: "Work with secrets that people write",
      description:
        "Write, read, change, list and delete secrets of a key/value mount, and on mounts with versions go back to earlier ones.",
    },
    {
      words: "kv metadata",
      synopsis: "Work with what is known about a secret",
      description:
        "Show, change and remove the settings and custom metadata of a secret on a mount with versions.",
    },
    {
      words: "config",
      synopsis: "Work with this user's defaults",
      description:
        "List, print, set and unset the defaults of this user's commands. Environment variables win over them, and flags over both.",
    },
    {
      words: "lease",
      synopsis: "Work with leases",
      description:
        "Look up, renew and revoke leases. Every dynamic credential has a lease; when it ends, the credential is revoked.",
    },
    {
      words: "operator",
      synopsis: "Work with the store itself",
      description:
        "Create, seal and unseal a store, replace the keys that unseal it, make a root token with them, and rotate its encryption key.",
    },
    {
      words: "aws",
      synopsis: "Work with AWS credentials",
      description: "Give credentials of the aws engine to AWS's own tools.",
    },
    {
      words: "print",
      synopsis: "Print what the command line uses",
      description: "Print what the command line uses.",
    },
  ],
};
