import type { KeyObject } from "node:crypto";
import { type ErrorCode, VsecError } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import { deriveKey, KEY_BYTES } from "../derive.ts";
import type { SealDependencies } from "./dependencies.ts";
import { checkType, decodeBase64 } from "./params.ts";
import type { Seal, SealConfig } from "./port.ts";
import { checkParam, requireMatch } from "./root-key-text.ts";
import { unwrapParam, wrapParam } from "./wrap.ts";

const HOW_TO = "set VSEC_SEAL_KEY to 32 random bytes in base64, as `openssl rand -base64 32` prints them";

/** The root key, encrypted under a key derived from VSEC_SEAL_KEY and the store's id. One value may serve several stores. */
export function envSeal({ env, random }: SealDependencies): Seal {
  const wrappingKey = (storeId: string, whenMalformed: ErrorCode): KeyObject => {
    if (env.sealKey === undefined) {
      throw new VsecError("SEAL_UNAVAILABLE", `the store is sealed by the environment: ${HOW_TO}`);
    }
    return keyFrom(env.sealKey, storeId, whenMalformed);
  };
  const unwrap = (config: SealConfig, key: KeyObject): Uint8Array => {
    const refusal = `VSEC_SEAL_KEY is not the key of store ${config.storeId}`;
    return requireMatch(config, unwrapParam(config, key, refusal), "VSEC_SEAL_KEY");
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
      return unwrap(config, wrappingKey(config.storeId, "SEAL_WRONG_KEY"));
    },

    async prove(config, key) {
      checkType(config, "env");
      return unwrap(config, keyFrom(key, config.storeId, "SEAL_WRONG_KEY"));
    },

    // Nothing lies outside of the store.
    forget: async (config) => checkType(config, "env"),
  };
}

/** @throws What `whenMalformed` says when the text is not 32 bytes in base64. */
function keyFrom(text: Secret<string>, storeId: string, whenMalformed: ErrorCode): KeyObject {
  const key = decodeBase64(text.reveal().trim());
  if (key?.length === KEY_BYTES) return deriveKey(key, "vsec seal env v1", storeId);
  throw new VsecError(whenMalformed, `VSEC_SEAL_KEY is not 32 bytes in base64: ${HOW_TO}`);
}
