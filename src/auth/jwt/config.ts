import type { JsonObject } from "../../base/json.ts";
import type { EngineStorage } from "../../framework/storage.ts";
import type { Algorithm } from "./keys.ts";

/** Where the keys come from. PEM texts; "" for no certificates of one's own. */
export type KeySource =
  | { readonly kind: "pem"; readonly pems: readonly string[] }
  | { readonly kind: "jwks"; readonly url: string; readonly caPem: string }
  | { readonly kind: "oidc"; readonly url: string; readonly caPem: string };

export interface Config {
  readonly source: KeySource;
  /** "": any. */
  readonly boundIssuer: string;
  /** Empty: all that are known. */
  readonly supportedAlgs: readonly Algorithm[];
  /** "": none. */
  readonly defaultRole: string;
}

const KEY = "config";

/** Null: not configured. */
export async function readConfig(storage: EngineStorage): Promise<Config | null> {
  const entry = await storage.get(KEY);
  return entry === null ? null : (entry.value as unknown as Config);
}

export async function writeConfig(storage: EngineStorage, config: Config): Promise<void> {
  await storage.commit([{ op: "put", key: KEY, value: config as unknown as JsonObject }]);
}
