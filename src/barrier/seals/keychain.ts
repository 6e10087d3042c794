import { hasCode, VsecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import type { SealDependencies } from "./dependencies.ts";
import { checkType, decodeBase64, encodeBase64 } from "./params.ts";
import type { Seal } from "./port.ts";
import { checkParam, requireMatch, rootKeyIn } from "./root-key-text.ts";

/** The service of every item that vsec keeps in a keychain. */
export const KEYCHAIN_SERVICE = "vsec";

/** The root key as an item of the user's keychain, named by the store's id. */
export function keychainSeal({ keychain }: SealDependencies): Seal {
  return {
    type: "keychain",

    async protect(rootKey, storeId) {
      const value = encodeBase64(rootKey);
      await reachable(keychain.set(KEYCHAIN_SERVICE, storeId, new Secret(value)));
      const back = await reachable(keychain.get(KEYCHAIN_SERVICE, storeId));
      if (back?.reveal() !== value) throw unavailable("the system's keychain did not keep the root key");
      return { type: "keychain", storeId, params: checkParam(rootKey, storeId) };
    },

    async open(config) {
      checkType(config, "keychain");
      const item = await reachable(keychain.get(KEYCHAIN_SERVICE, config.storeId));
      if (item === null) {
        const what = `the system's keychain has no root key for store ${config.storeId}, or is locked`;
        throw unavailable(`${what}: unlock it, as the user who made the store`);
      }
      return requireMatch(config, decodeBase64(item.reveal()), "the system's keychain");
    },

    async prove(config, key) {
      checkType(config, "keychain");
      return requireMatch(config, rootKeyIn(key.reveal()), "what was given");
    },

    async forget(config) {
      checkType(config, "keychain");
      await reachable(keychain.delete(KEYCHAIN_SERVICE, config.storeId));
    },
  };
}

async function reachable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!hasCode(cause, "KEYCHAIN_UNAVAILABLE")) throw cause;
    throw unavailable(cause.message, cause);
  }
}

function unavailable(text: string, cause?: unknown): VsecError {
  return new VsecError("SEAL_UNAVAILABLE", text, { cause });
}
