import type { KeyObject } from "node:crypto";
import { hasCode, VsecError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { KEY_BYTES } from "../derive.ts";
import { decryptValue, encryptValue, VALUE_OVERHEAD_BYTES } from "../value-cipher.ts";
import { bytesParam, encodeBase64 } from "./params.ts";
import type { SealConfig } from "./port.ts";

const TERM_OF_WRAPPING = 0;

/** The associated data: a wrapped key is of one store. */
function placeOf(storeId: string): string {
  return `vsec root key of ${storeId}`;
}

/** The root key, encrypted under a seal's own key as a value of term 0. */
export function wrapParam(
  key: KeyObject,
  rootKey: Uint8Array,
  storeId: string,
  random: Random,
): { wrapped: string } {
  const termKey = { term: TERM_OF_WRAPPING, key };
  return { wrapped: encodeBase64(encryptValue(termKey, placeOf(storeId), rootKey, random)) };
}

/**
 * @param refusal - What to say when the key is the wrong one.
 * @throws SEAL_WRONG_KEY when the key is not the one it was wrapped with, or the wrapped key was changed.
 */
export function unwrapParam(config: SealConfig, key: KeyObject, refusal: string): Uint8Array {
  const wrapped = bytesParam(config, "wrapped", KEY_BYTES + VALUE_OVERHEAD_BYTES);
  const keyOf = (term: number) => (term === TERM_OF_WRAPPING ? key : undefined);
  try {
    return decryptValue(keyOf, placeOf(config.storeId), wrapped);
  } catch (cause) {
    if (!hasCode(cause, "BARRIER_DAMAGED")) throw cause;
    throw new VsecError("SEAL_WRONG_KEY", refusal, { cause });
  }
}
