import { parseMode } from "../render/target.ts";
import type { Section } from "./sections.ts";

/** How the agent logs in. */
export interface AgentAuth {
  /** `token_file` is no login: the file has the token. */
  readonly type: "approle" | "jwt" | "token_file";
  /** Below `auth/`. */
  readonly mount: string;
  readonly role?: string;
  /** Files with the credentials; they are read at each login. */
  readonly roleIdFile?: string;
  readonly secretIdFile?: string;
  readonly jwtFile?: string;
  readonly tokenFile?: string;
  /** Whether the secret id, or the identity token, is removed once it was read. */
  readonly removesSecret: boolean;
  /** After a login that failed, doubled up to the other. */
  readonly backoffSecondsMin: number;
  readonly backoffSecondsMax: number;
  /** Whether a login that fails ends the agent. */
  readonly exitsOnError: boolean;
}

export interface AgentSink {
  readonly path: string;
  readonly mode: number;
}

const BACKOFF_SECONDS_MIN = 1;
const BACKOFF_SECONDS_MAX = 300;

type OfType = Omit<AgentAuth, "type" | "mount" | "backoffSecondsMin" | "backoffSecondsMax" | "exitsOnError">;

const METHODS: Readonly<Record<AgentAuth["type"], (config: Section) => OfType>> = {
  approle: appRole,
  jwt,
  token_file: (config) => ({ tokenFile: config.required("token_file_path"), removesSecret: false }),
};

/** Reads `method` of `auto_auth`. @throws HclError */
export function authOf(autoAuth: Section): AgentAuth {
  const method = autoAuth.block("method");
  if (method === undefined) throw autoAuth.fail('"auto_auth" needs a "method"');
  const type = method.label ?? method.required("type");
  method.ignore("type");
  if (!isMethod(type))
    throw method.fail(`the method "${type}" is not supported; approle, jwt and token_file are`);
  const mount = (method.text("mount_path") ?? `auth/${type}`).replace(/^auth\//, "").replace(/\/$/, "");
  const config = method.block("config");
  if (config === undefined) throw method.fail(`the method "${type}" needs "config"`);
  const auth = {
    type,
    mount,
    backoffSecondsMin: method.duration("min_backoff") || BACKOFF_SECONDS_MIN,
    backoffSecondsMax: method.duration("max_backoff") || BACKOFF_SECONDS_MAX,
    exitsOnError: method.flag("exit_on_err"),
    ...METHODS[type](config),
  };
  if (auth.backoffSecondsMax < auth.backoffSecondsMin)
    throw method.fail('"max_backoff" must not be less than "min_backoff"');
  config.end();
  method.end();
  return auth;
}

function isMethod(type: string): type is AgentAuth["type"] {
  return Object.hasOwn(METHODS, type);
}

function appRole(config: Section): OfType {
  const secretIdFile = config.text("secret_id_file_path");
  return {
    roleIdFile: config.required("role_id_file_path"),
    ...(secretIdFile === undefined ? {} : { secretIdFile }),
    removesSecret: config.flag("remove_secret_id_file_after_reading", true),
  };
}

function jwt(config: Section): OfType {
  return {
    role: config.required("role"),
    jwtFile: config.required("path"),
    removesSecret: config.flag("remove_jwt_after_reading", true),
  };
}

/** Reads the sinks of `auto_auth`, by themselves or in `sinks`. @throws HclError */
export function sinksOf(autoAuth: Section): readonly AgentSink[] {
  const group = autoAuth.block("sinks");
  const all = [...autoAuth.blocks("sink"), ...(group?.blocks("sink") ?? [])];
  group?.end();
  return all.map(sinkOf);
}

function sinkOf(sink: Section): AgentSink {
  const type = sink.label ?? sink.required("type");
  sink.ignore("type");
  if (type !== "file") throw sink.fail(`the sink "${type}" is not supported; file is`);
  const config = sink.block("config");
  if (config === undefined) throw sink.fail('a sink needs "config"');
  const read = { path: config.required("path"), mode: config.parsed("mode", parseMode) ?? 0o640 };
  config.end();
  sink.end();
  return read;
}
