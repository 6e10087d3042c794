import { parseDurationSeconds } from "../base/duration.ts";
import { type Env, findVariable, readVariable, type VariableName } from "../contract/environment.ts";
import type { AnyCommand } from "./command.ts";
import type { ClientOptions, TlsClientOptions } from "./context.ts";
import { localFailure, remoteFailure } from "./failure.ts";
import type { ParsedValue } from "./flag-values.ts";
import { parseBool } from "./go-text.ts";

/** The formats in which an answer can be printed. */
export type Format = "table" | "json" | "yaml" | "raw" | "env" | "dotenv";

/** What the flags of every command, and their environment variables, come to. */
export interface GlobalOptions extends ClientOptions {
  readonly format: Format;
  readonly field?: string;
  readonly detailed: boolean;
  readonly nonInteractive: boolean;
  /** Undefined: not asked for. 0: asked for not to be wrapped. */
  readonly wrapTtlSeconds?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Print a request in this form instead of sending it. */
  readonly instead?: "curl" | "policy";
}

type Values = Readonly<Record<string, ParsedValue | undefined>>;

/**
 * Reads the global options from a command's parsed flags, then from the environment.
 * @throws CommandFailure for a format that does not exist or does not apply (exit 1), and for a bad variable or header (exit 2).
 */
export function globalOptions(command: AnyCommand, values: Values, env: Env): GlobalOptions {
  const text = (name: string, variable: VariableName): string | undefined => {
    const value = values[name];
    return typeof value === "string" && value !== "" ? value : readVariable(env, variable);
  };
  const address = command.requests ? text("address", "VSEC_ADDR") : undefined;
  const storeDir = text("store", "VSEC_STORE");
  const wrapTtlSeconds = wrapTtl(command, values, env);
  const instead = printsInstead(values);
  return {
    format: formatOf(command, text("format", "VSEC_FORMAT") ?? "table"),
    ...(typeof values.field === "string" && values.field !== "" ? { field: values.field } : {}),
    detailed: command.output.detailed === true && isDetailed(values, env),
    nonInteractive: values["non-interactive"] === true,
    headers: headersOf(values),
    ...(address === undefined ? {} : { address }),
    ...(storeDir === undefined ? {} : { storeDir }),
    ...(command.requests ? { tls: tlsOptions(values, env, text) } : {}),
    ...(wrapTtlSeconds === undefined ? {} : { wrapTtlSeconds }),
    ...(instead === undefined ? {} : { instead }),
  };
}

type ReadText = (flag: string, variable: VariableName) => string | undefined;

function tlsOptions(values: Values, env: Env, text: ReadText): TlsClientOptions {
  const caCert = text("ca-cert", "VSEC_CACERT");
  const caPath = text("ca-path", "VSEC_CAPATH");
  const clientCert = text("client-cert", "VSEC_CLIENT_CERT");
  const clientKey = text("client-key", "VSEC_CLIENT_KEY");
  const serverName = text("tls-server-name", "VSEC_TLS_SERVER_NAME");
  return {
    ...(caCert === undefined ? {} : { caCert }),
    ...(caPath === undefined ? {} : { caPath }),
    ...(clientCert === undefined ? {} : { clientCert }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(values["tls-skip-verify"] === true || skipsVerify(env) ? { skipVerify: true } : {}),
  };
}

function skipsVerify(env: Env): boolean {
  const variable = findVariable(env, "VSEC_SKIP_VERIFY");
  if (variable === undefined) return false;
  const value = parseBool(variable.value);
  if (value === undefined)
    throw remoteFailure(`failed to read environment: could not parse ${variable.name}`);
  return value;
}

function formatOf(command: AnyCommand, text: string): Format {
  switch (text.toLowerCase()) {
    case "table":
      return "table";
    case "json":
      return "json";
    case "yaml":
    case "yml":
      return "yaml";
    case "pretty":
      throw localFailure("Could not parse output: cannot use the pretty formatter for this type");
    case "raw":
      if (command.output.raw === true) return "raw";
      throw localFailure("This command does not support the -format=raw option.");
    case "env":
    case "dotenv":
      if (command.output.environment === true) return text.toLowerCase() === "env" ? "env" : "dotenv";
      throw localFailure(`This command does not support the -format=${text.toLowerCase()} option.`);
    default:
      throw localFailure(`Invalid output format: ${text}`);
  }
}

function printsInstead(values: Values): "curl" | "policy" | undefined {
  if (values["output-curl-string"] === true) return "curl";
  return values["output-policy"] === true ? "policy" : undefined;
}

function isDetailed(values: Values, env: Env): boolean {
  if (typeof values.detailed === "boolean") return values.detailed;
  const variable = readVariable(env, "VSEC_DETAILED");
  return variable !== undefined && parseBool(variable) === true;
}

function wrapTtl(command: AnyCommand, values: Values, env: Env): number | undefined {
  const given = values["wrap-ttl"];
  if (typeof given === "number") return given;
  const variable = command.requests ? findVariable(env, "VSEC_WRAP_TTL") : undefined;
  if (variable === undefined) return undefined;
  try {
    return parseDurationSeconds(variable.value);
  } catch (error) {
    throw remoteFailure(`failed to read environment: could not parse ${variable.name}`, { cause: error });
  }
}

function headersOf(values: Values): Readonly<Record<string, string>> {
  const headers = (values.header ?? {}) as Readonly<Record<string, string>>;
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase().startsWith("x-vault-")) {
      throw remoteFailure(
        `failed to setup Headers[${name}]: Header starting by 'X-Vault-' are for internal usage only`,
      );
    }
  }
  return headers;
}
