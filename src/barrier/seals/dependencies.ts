import type { Keychain } from "../../base/keychain.ts";
import type { PrivateFiles } from "../../base/private-files.ts";
import type { Random } from "../../base/random.ts";
import { Secret } from "../../base/secret.ts";

/** What the environment says about seals. */
export interface SealEnvironment {
  /** VSEC_SEAL_KEY: base64 of 32 bytes. */
  readonly sealKey: Secret<string> | undefined;
  /** VSEC_SEAL_KEY_FILE: where a new store's key file goes, and where one that was moved is. */
  readonly sealKeyFile: string | undefined;
  /** VSEC_PASSPHRASE */
  readonly passphrase: Secret<string> | undefined;
  /** VSEC_PASSPHRASE_FILE: a file whose content, without a final line break, is the passphrase. */
  readonly passphraseFile: string | undefined;
}

/** The world as seals see it. */
export interface SealDependencies {
  readonly env: SealEnvironment;
  readonly keychain: Keychain;
  readonly files: PrivateFiles;
  /** Absolute paths; `runtime` is null where the system has none. */
  readonly directories: { readonly config: string; readonly runtime: string | null };
  readonly random: Random;
}

/** Reads the seals' variables; an empty one counts as not set. */
export function sealEnvironment(env: Readonly<Record<string, string | undefined>>): SealEnvironment {
  const secret = (value: string | undefined) => (value ? new Secret(value) : undefined);
  return {
    sealKey: secret(env.VSEC_SEAL_KEY),
    sealKeyFile: env.VSEC_SEAL_KEY_FILE || undefined,
    passphrase: secret(env.VSEC_PASSPHRASE),
    passphraseFile: env.VSEC_PASSPHRASE_FILE || undefined,
  };
}
