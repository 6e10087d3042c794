/** Reading a seal's configuration, which lies in the store in clear and is believed nothing. */
import { VsecError } from "../../base/errors.ts";
import type { SealConfig, SealType } from "./port.ts";

const TEXT_LENGTH_MAX = 4096;

/** @throws BARRIER_DAMAGED unless the configuration is of this type. */
export function checkType(config: SealConfig, type: SealType): void {
  if (config.type !== type) throw damagedConfig(`it is of type ${config.type}, not ${type}`);
}

/** @throws BARRIER_DAMAGED */
export function textParam(config: SealConfig, name: string): string {
  const value = config.params[name];
  if (typeof value === "string" && value !== "" && value.length <= TEXT_LENGTH_MAX) return value;
  throw damagedConfig(`${name} is missing or no text`);
}

/** A parameter in base64. @throws BARRIER_DAMAGED unless it is `length` bytes. */
export function bytesParam(config: SealConfig, name: string, length: number): Buffer {
  const bytes = decodeBase64(textParam(config, name));
  if (bytes?.length === length) return bytes;
  throw damagedConfig(`${name} is not ${length} bytes in base64`);
}

/** @throws BARRIER_DAMAGED unless it is a whole number from `min` to `max`. */
export function countParam(config: SealConfig, name: string, min: number, max: number): number {
  const value = config.params[name];
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw damagedConfig(`${name} is not a whole number from ${min} to ${max}`);
}

/** Base64 with padding (RFC 4648 section 4); undefined when the text is anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function damagedConfig(what: string): VsecError {
  return new VsecError("BARRIER_DAMAGED", `the configuration of the store's seal is damaged: ${what}`);
}
