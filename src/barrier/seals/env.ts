import type { KeyObject } from "node:crypto";
import { type ErrorCode, VsecError } from "../../base/errors.ts";
import { deriveKey, KEY_BYTES } from "../derive.ts";
import type { SealDependencies } from "./dependencies.ts";
import { checkType, decodeBase64 } from "./params.ts";
import type { Seal } from "./port.ts";
import { checkParam, requireMatch } from "./root-key-text.ts";
import { unwrapParam, wrapParam } from "./wrap.ts";

const HOW_TO = "set VSEC_SEAL_KEY to 32 random bytes in base64, as `openssl rand -base64 32` prints them";

/** The root key, encrypted under a key derived from VSEC_SEAL_KEY and the store's id. One value may serve several stores. */
export function envSeal({ env, random }: SealDependencies): Seal {
  const wrappingKey = (storeId: string, whenMalformed: ErrorCode): KeyObject => {
    if (env.sealKey === undefined) {
      throw new VsecError("SEAL_UNAVAILABLE", `the store is sealed by the environment: ${HOW_TO}`);
    }
    const key = decodeBase64(env.sealKey.reveal().trim());
    if (key?.length !== KEY_BYTES) {
      throw new VsecError(whenMalformed, `VSEC_SEAL_KEY is not 32 bytes in base64: ${HOW_TO}`);
    }
    return deriveKey(key, "vsec seal env v1", storeId);
  };
  return {
    type: "env",

    async protect(rootKey, storeId) {
      const key = wrappingKey(storeId, "SEAL_UNAVAILABLE");
      const params = { ...wrapParam(key, rootKey, storeId, random), ...checkParam(rootKey, storeId) };
      return { type: "env", storeId, params };
    },

    async open(config) {
      checkType(config, "env");
      const key = wrappingKey(config.storeId, "SEAL_WRONG_KEY");
      const refusal = `VSEC_SEAL_KEY is not the key of store ${config.storeId}`;
      return requireMatch(config, unwrapParam(config, key, refusal), "VSEC_SEAL_KEY");
    },

    // Nothing lies outside of the store.
    forget: async (config) => checkType(config, "env"),
  };
}
