import { badRequest, messageOf } from "../../../base/errors.ts";
import { decodeBool, decodeDuration } from "../../../framework/weak-decode.ts";

/** Options of a device as they were given: texts by name. */
export type DeviceOptions = Readonly<Record<string, string>>;

/** What every device's lines are made by. */
export interface LineOptions {
  readonly hmacAccessor: boolean;
  readonly logRaw: boolean;
  readonly elideListResponses: boolean;
  /** Put before each line. */
  readonly prefix: string;
}

const PREFIX_CHARS_MAX = 256;
const FILE_MODE_DEFAULT = 0o600;
/** Audit files are never executable, nor do they carry set-id bits. */
const FILE_MODE_MASK = 0o666;
const WRITE_TIMEOUT_SECONDS_DEFAULT = 2;
const WRITE_TIMEOUT_SECONDS_MAX = 60;

/** @throws ApiError 400 for a format other than json, and for malformed values. */
export function lineOptions(options: DeviceOptions): LineOptions {
  const { format = "", prefix = "" } = options;
  if (format !== "" && format !== "json") throw badRequest(`unknown format type ${JSON.stringify(format)}`);
  if (prefix.length > PREFIX_CHARS_MAX || /[^\P{C}]/u.test(prefix)) {
    throw badRequest(`prefix must be at most ${PREFIX_CHARS_MAX} printable characters`);
  }
  return {
    hmacAccessor: flagOption(options, "hmac_accessor", true),
    logRaw: flagOption(options, "log_raw", false),
    elideListResponses: flagOption(options, "elide_list_responses", false),
    prefix,
  };
}

/** @throws ApiError 400 */
export function flagOption(options: DeviceOptions, name: string, byDefault: boolean): boolean {
  const text = options[name] ?? "";
  return text === "" ? byDefault : parsed(name, () => decodeBool(text));
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`invalid value of option ${name}: ${messageOf(error)}`, error);
  }
}

export interface FileOptions {
  readonly path: string;
  /** 0: a file that is there keeps its mode. */
  readonly mode: number;
}

/** @throws ApiError 400 */
export function fileOptions(options: DeviceOptions): FileOptions {
  const path = options.file_path || options.path || "";
  if (path === "") throw badRequest("file_path is required");
  const { mode = "" } = options;
  if (mode !== "" && !/^(?:0o?)?[0-7]{1,4}$/.test(mode)) {
    throw badRequest("invalid value of option mode: it must be octal digits, such as 0600");
  }
  const bits = mode === "" ? FILE_MODE_DEFAULT : Number.parseInt(mode.replace("o", ""), 8);
  return { path, mode: bits & FILE_MODE_MASK };
}

export interface SocketOptions {
  readonly type: "tcp" | "udp" | "unix";
  /** `host:port`, `[host]:port`, or a path. */
  readonly address: string;
  readonly timeoutMs: number;
}

/** @throws ApiError 400 */
export function socketOptions(options: DeviceOptions): SocketOptions {
  const { address = "", socket_type: type = "tcp", write_timeout: timeout = "" } = options;
  if (address === "") throw badRequest("address is required");
  if (type !== "tcp" && type !== "udp" && type !== "unix") {
    throw badRequest(`unknown socket_type ${JSON.stringify(type)}; known are: tcp, udp, unix`);
  }
  const seconds =
    timeout === "" ? WRITE_TIMEOUT_SECONDS_DEFAULT : parsed("write_timeout", () => decodeDuration(timeout));
  if (seconds < 1 || seconds > WRITE_TIMEOUT_SECONDS_MAX) {
    throw badRequest(`write_timeout must be from 1 to ${WRITE_TIMEOUT_SECONDS_MAX} seconds`);
  }
  if (type !== "unix") hostAndPort(address);
  return { type, address, timeoutMs: seconds * 1000 };
}

/** Takes `host:port` apart. @throws ApiError 400 */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw badRequest("address must be host:port");
  return { host: match[1] ?? match[2] ?? "", port };
}
