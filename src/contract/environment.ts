/** The environment as a value, so that nothing below `main` reads the process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One variable that vsec reads. */
interface Declared {
  readonly name: string;
  /** Vault's name for it, honoured when ours is unset or empty. `VAULT_ADDR` is deliberately nobody's fallback. */
  readonly fallback?: string;
  /** What a value looks like, for help and manuals. */
  readonly value: string;
  readonly meaning: string;
}

/** Every environment variable that vsec reads. Help, man pages, the reference and the code read this one table. */
export const ENVIRONMENT = [
  {
    name: "VSEC_STORE",
    value: "directory",
    meaning: "Where the store is. The flag -store wins.",
  },
  {
    name: "VSEC_ADDR",
    value: "url",
    meaning:
      "Address of a daemon that answers instead of this process. VAULT_ADDR is not honoured, so that a shell set up for a Vault server never has its requests answered by, or sent to, the wrong one. The flag -address wins.",
  },
  {
    name: "VSEC_CONFIG",
    value: "file",
    meaning:
      "Where the defaults are that `vsec config set` writes, instead of config.json in the user's configuration directory.",
  },
  {
    name: "VSEC_DAEMON",
    value: "off",
    meaning:
      "With off, a command without an address does not look whether the store's daemon answers, and works on the store itself.",
  },
  {
    name: "VSEC_CACERT",
    fallback: "VAULT_CACERT",
    value: "file",
    meaning: "A PEM file with the authorities to trust when the address is https. The flag -ca-cert wins.",
  },
  {
    name: "VSEC_CAPATH",
    fallback: "VAULT_CAPATH",
    value: "directory",
    meaning: "A directory of PEM files with the authorities to trust. The flag -ca-path wins.",
  },
  {
    name: "VSEC_CLIENT_CERT",
    fallback: "VAULT_CLIENT_CERT",
    value: "file",
    meaning: "A PEM file with the certificate to show to the daemon. The flag -client-cert wins.",
  },
  {
    name: "VSEC_CLIENT_KEY",
    fallback: "VAULT_CLIENT_KEY",
    value: "file",
    meaning: "A PEM file with the key of that certificate. The flag -client-key wins.",
  },
  {
    name: "VSEC_TLS_SERVER_NAME",
    fallback: "VAULT_TLS_SERVER_NAME",
    value: "name",
    meaning:
      "The name that the daemon's certificate must be for, where the address has another. The flag -tls-server-name wins.",
  },
  {
    name: "VSEC_SKIP_VERIFY",
    fallback: "VAULT_SKIP_VERIFY",
    value: "boolean",
    meaning: "Do not check the daemon's certificate.",
  },
  {
    name: "VSEC_CLIENT_TIMEOUT",
    fallback: "VAULT_CLIENT_TIMEOUT",
    value: "duration",
    meaning: "How long to wait for a daemon's answer. Absent: 60s.",
  },
  {
    name: "VSEC_DEV_ROOT_TOKEN_ID",
    fallback: "VAULT_DEV_ROOT_TOKEN_ID",
    value: "token",
    meaning: "Default for the daemon's flag -dev-root-token-id.",
  },
  {
    name: "VSEC_DEV_LISTEN_ADDRESS",
    fallback: "VAULT_DEV_LISTEN_ADDRESS",
    value: "host:port",
    meaning: "Default for the daemon's flag -dev-listen-address.",
  },
  {
    name: "VSEC_TOKEN",
    fallback: "VAULT_TOKEN",
    value: "token",
    meaning: "The token to use. It wins over the token file.",
  },
  {
    name: "VSEC_TOKEN_PATH",
    value: "file",
    meaning: "The token file, instead of ~/.vsec-token. Vault's own ~/.vault-token is never read or written.",
  },
  {
    name: "VSEC_FORMAT",
    fallback: "VAULT_FORMAT",
    value: "table, json, yaml, yml or raw",
    meaning: "Default output format. The flag -format wins.",
  },
  {
    name: "VSEC_DETAILED",
    fallback: "VAULT_DETAILED",
    value: "boolean",
    meaning: "Default for the flag -detailed.",
  },
  {
    name: "VSEC_WRAP_TTL",
    fallback: "VAULT_WRAP_TTL",
    value: "duration",
    meaning: "Wrap answers for this long. The flag -wrap-ttl wins.",
  },
  {
    name: "VSEC_SEAL_KEY",
    value: "base64",
    meaning: "The root key of a store whose seal is of type env: 32 bytes in base64.",
  },
  {
    name: "VSEC_SEAL_KEY_FILE",
    value: "file",
    meaning:
      "Where a seal of type key-file keeps a new store's key, instead of its default place; where a key is that was moved.",
  },
  {
    name: "VSEC_PASSPHRASE",
    value: "passphrase",
    meaning: "The passphrase of a store whose seal is of type passphrase.",
  },
  {
    name: "VSEC_PASSPHRASE_FILE",
    value: "file",
    meaning: "A file that holds the passphrase, for where an environment variable is too public.",
  },
  {
    name: "VSEC_PLUGIN_DIRECTORY",
    value: "directory",
    meaning:
      "Where the programs are that exec-database-plugin may run; by default /usr/local/lib/vsec/plugins. Read by the process that opens the store.",
  },
  {
    name: "VSEC_SWEEP",
    value: "off",
    meaning: "With off, a command does not look after overdue leases once it has answered.",
  },
  {
    name: "VSEC_LOG_LEVEL",
    fallback: "VAULT_LOG_LEVEL",
    value: "trace, debug, info, warn or error",
    meaning: "Default for the daemon's flag -log-level.",
  },
  {
    name: "VSEC_LOG_FORMAT",
    fallback: "VAULT_LOG_FORMAT",
    value: "standard or json",
    meaning: "Default for the daemon's flag -log-format.",
  },
  {
    name: "VSEC_CLI_NO_COLOR",
    fallback: "VAULT_CLI_NO_COLOR",
    value: "any",
    meaning: "Any value: no colour.",
  },
  {
    name: "NO_COLOR",
    value: "any",
    meaning: "Any value: no colour, and no newline after the value that -field prints.",
  },
  {
    name: "TERM",
    value: "terminal type",
    meaning: "The value dumb has the effect of NO_COLOR.",
  },
  {
    name: "HOME",
    value: "directory",
    meaning: "Where the token file is looked for.",
  },
  {
    name: "VSEC_DEBUG",
    value: "1",
    meaning: "With 1, an unexpected failure shows on standard error where in the program it happened.",
  },
] as const satisfies readonly Declared[];

/** The name of a variable in {@link ENVIRONMENT}. */
export type VariableName = (typeof ENVIRONMENT)[number]["name"];

/** The variables as their declarations, for whatever lists them. */
export const ENVIRONMENT_VARIABLES: readonly Declared[] = ENVIRONMENT;

/** A variable's value, and under which name it was found (for messages). */
export interface FoundVariable {
  readonly name: string;
  readonly value: string;
}

/** Looks a variable up by our name, then by Vault's. Unset and empty are the same: undefined. */
export function findVariable(env: Env, name: VariableName): FoundVariable | undefined {
  const fallback = ENVIRONMENT_VARIABLES.find((declared) => declared.name === name)?.fallback;
  for (const candidate of fallback === undefined ? [name] : [name, fallback]) {
    const value = env[candidate];
    if (value !== undefined && value !== "") return { name: candidate, value };
  }
  return undefined;
}

/** The value of {@link findVariable} alone. */
export function readVariable(env: Env, name: VariableName): string | undefined {
  return findVariable(env, name)?.value;
}
