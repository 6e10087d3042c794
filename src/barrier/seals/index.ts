import type { SealDependencies } from "./dependencies.ts";
import type { PassphraseSeal } from "./passphrase.ts";
import type { Seal, WholeKeySeal } from "./port.ts";

/** Every seal of one key; a new one is a file and a line here. Only the one that a store has is loaded. */
const SEALS: Readonly<Record<WholeKeySeal, (dependencies: SealDependencies) => Promise<Seal>>> = {
  keychain: async (dependencies) => (await import("./keychain.ts")).keychainSeal(dependencies),
  "key-file": async (dependencies) => (await import("./key-file.ts")).keyFileSeal(dependencies),
  passphrase: (dependencies) => loadPassphraseSeal(dependencies),
  env: async (dependencies) => (await import("./env.ts")).envSeal(dependencies),
};

/** The seal of this type. */
export function loadSeal(type: WholeKeySeal, dependencies: SealDependencies): Promise<Seal> {
  return SEALS[type](dependencies);
}

/** The passphrase seal, with what only it can do: unlock and lock. */
export async function loadPassphraseSeal(dependencies: SealDependencies): Promise<PassphraseSeal> {
  return (await import("./passphrase.ts")).passphraseSeal(dependencies);
}

/** The type for a new store when the user names none: the keychain where items can be kept, else a key file. */
export async function chooseSeal({ keychain }: Pick<SealDependencies, "keychain">): Promise<WholeKeySeal> {
  return (await keychain.available()) ? "keychain" : "key-file";
}
