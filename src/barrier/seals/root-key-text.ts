import { VsecError } from "../../base/errors.ts";
import { isRootKey, rootKeyCheck } from "../root-key.ts";
import { bytesParam, decodeBase64, encodeBase64 } from "./params.ts";
import type { SealConfig } from "./port.ts";

const MARK = "vsec-root-key-v1";

/** More than a line of {@link formatRootKeyLine} can be. */
export const ROOT_KEY_LINE_BYTES_MAX = 512;

/** The content of a key file: `vsec-root-key-v1 <store id> <base64>` and a line break. */
export function formatRootKeyLine(rootKey: Uint8Array, storeId: string): Buffer {
  return Buffer.from(`${MARK} ${storeId} ${encodeBase64(rootKey)}\n`);
}

/** The parts of a key file; undefined when it is none. */
export function parseRootKeyLine(content: Uint8Array): { storeId: string; rootKey: Buffer } | undefined {
  const [mark, storeId, base64, ...rest] = Buffer.from(content).toString("utf8").trim().split(" ");
  if (mark !== MARK || storeId === undefined || base64 === undefined || rest.length > 0) return undefined;
  const rootKey = decodeBase64(base64);
  return rootKey === undefined ? undefined : { storeId, rootKey };
}

/** The root key in what a person copied from a key file (its line, or its last word) or a keychain item; undefined when there is none. */
export function rootKeyIn(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  return parseRootKeyLine(Buffer.from(trimmed))?.rootKey ?? decodeBase64(trimmed);
}

/** The parameter by which a seal's configuration knows its root key. */
export function checkParam(rootKey: Uint8Array, storeId: string): { check: string } {
  return { check: encodeBase64(rootKeyCheck(rootKey, storeId)) };
}

/** True when this is the root key that the configuration was made for. @throws BARRIER_DAMAGED when the configuration has no check. */
export function matchesConfig(config: SealConfig, rootKey: Uint8Array): boolean {
  return isRootKey(rootKey, config.storeId, bytesParam(config, "check", 16));
}

/** @param source - What gave the key, for the message. @throws SEAL_WRONG_KEY unless {@link matchesConfig}. */
export function requireMatch(
  config: SealConfig,
  rootKey: Uint8Array | undefined,
  source: string,
): Uint8Array {
  if (rootKey !== undefined && matchesConfig(config, rootKey)) return rootKey;
  throw new VsecError("SEAL_WRONG_KEY", `${source} does not hold the root key of store ${config.storeId}`);
}
