import type { VariableName } from "./environment.ts";

/** What a setting's value has to be. */
export type SettingKind = "address" | "path" | "duration" | "text" | readonly string[];

/** A default that a person has set: it stands in for an environment variable that is not there. */
export interface Setting {
  readonly name: string;
  readonly variable: VariableName;
  readonly kind: SettingKind;
}

/** Every setting. None holds a secret, and none turns a check off: for those there are flags and variables. */
export const SETTINGS: readonly Setting[] = [
  { name: "address", variable: "VSEC_ADDR", kind: "address" },
  { name: "store", variable: "VSEC_STORE", kind: "path" },
  { name: "format", variable: "VSEC_FORMAT", kind: ["table", "json", "yaml", "raw"] },
  { name: "detailed", variable: "VSEC_DETAILED", kind: ["true", "false"] },
  { name: "ca-cert", variable: "VSEC_CACERT", kind: "path" },
  { name: "ca-path", variable: "VSEC_CAPATH", kind: "path" },
  { name: "client-cert", variable: "VSEC_CLIENT_CERT", kind: "path" },
  { name: "client-key", variable: "VSEC_CLIENT_KEY", kind: "path" },
  { name: "tls-server-name", variable: "VSEC_TLS_SERVER_NAME", kind: "text" },
  { name: "client-timeout", variable: "VSEC_CLIENT_TIMEOUT", kind: "duration" },
  { name: "token-path", variable: "VSEC_TOKEN_PATH", kind: "path" },
  { name: "log-level", variable: "VSEC_LOG_LEVEL", kind: ["trace", "debug", "info", "warn", "error"] },
  { name: "log-format", variable: "VSEC_LOG_FORMAT", kind: ["standard", "json"] },
];
