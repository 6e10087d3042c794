import { parseHcl } from "../../base/hcl/parse.ts";
import { PRIVATE_MODE, parseMode } from "../render/target.ts";
import { Section } from "./sections.ts";

/** How the agent logs in. */
export interface AgentAuth {
  readonly type: "approle" | "jwt";
  /** Below `auth/`. */
  readonly mount: string;
  readonly role?: string;
  /** Files with the credentials; they are read at each login. */
  readonly roleIdFile?: string;
  readonly secretIdFile?: string;
  readonly jwtFile?: string;
  /** Whether the secret id, or the identity token, is removed once it was read. */
  readonly removesSecret: boolean;
}

export interface AgentSink {
  readonly path: string;
  readonly mode: number;
}

export interface AgentTemplate {
  /** A file, or the text itself. */
  readonly source: { readonly path: string } | { readonly contents: string };
  readonly errorOnMissingKey: boolean;
}

export interface FileTemplate extends AgentTemplate {
  readonly destination: string;
  readonly mode: number;
  readonly makesDirectories: boolean;
  /** Run after each change; empty: nothing is. */
  readonly command: readonly string[];
}

export interface AgentProcess {
  readonly command: readonly string[];
  readonly restarts: boolean;
  readonly stopSignal: string;
}

/** A configuration file of the agent, read. */
export interface AgentConfig {
  readonly address?: string;
  readonly caCert?: string;
  readonly auth: AgentAuth | null;
  readonly sinks: readonly AgentSink[];
  readonly templates: readonly FileTemplate[];
  readonly variables: readonly (AgentTemplate & { readonly name: string })[];
  readonly process: AgentProcess | null;
  readonly exitsAfterAuth: boolean;
  readonly staticIntervalSeconds: number;
  readonly pidFile?: string;
}

const STATIC_INTERVAL_SECONDS = 300;

/**
 * Reads a configuration in the form of Vault's agent, HCL or JSON. What the agent does not do is refused, not left out.
 * @throws HclError with line and column.
 */
export function parseAgentConfig(text: string): AgentConfig {
  const root = new Section("", parseHcl(text), { line: 1, column: 1 });
  const vault = root.block("vault");
  const autoAuth = root.block("auto_auth");
  const settings = root.block("template_config");
  const address = vault?.text("address");
  const caCert = vault?.text("ca_cert");
  vault?.block("retry")?.ignore("num_retries");
  const pidFile = root.text("pid_file");
  const config: AgentConfig = {
    ...(address === undefined ? {} : { address }),
    ...(caCert === undefined ? {} : { caCert }),
    auth: autoAuth === undefined ? null : authOf(autoAuth),
    sinks: (autoAuth?.blocks("sink") ?? []).map(sinkOf),
    templates: root.blocks("template").map(fileTemplateOf),
    variables: root.blocks("env_template").map(variableOf),
    process: processOf(root.block("exec")),
    exitsAfterAuth: root.flag("exit_after_auth"),
    staticIntervalSeconds: settings?.duration("static_secret_render_interval") ?? STATIC_INTERVAL_SECONDS,
    ...(pidFile === undefined ? {} : { pidFile }),
  };
  settings?.ignore("exit_on_retry_failure", "max_connections_per_host");
  root.ignore("log_level", "log_format", "disable_mlock");
  for (const section of [vault, autoAuth, settings, root]) section?.end();
  if (config.variables.length > 0 && config.process === null)
    throw root.fail('"env_template" needs "exec", whose command gets the variables');
  return config;
}

function authOf(autoAuth: Section): AgentAuth {
  const method = autoAuth.block("method");
  if (method === undefined) throw autoAuth.fail('"auto_auth" needs a "method"');
  const type = method.label ?? method.required("type");
  method.ignore("type", "min_backoff", "max_backoff", "exit_on_err");
  if (type !== "approle" && type !== "jwt")
    throw method.fail(`the method "${type}" is not supported; approle and jwt are`);
  const mount = (method.text("mount_path") ?? `auth/${type}`).replace(/^auth\//, "").replace(/\/$/, "");
  const config = method.block("config");
  if (config === undefined) throw method.fail(`the method "${type}" needs "config"`);
  const auth = type === "approle" ? appRole(config, mount) : jwt(config, mount);
  config.end();
  method.end();
  return auth;
}

function appRole(config: Section, mount: string): AgentAuth {
  const secretIdFile = config.text("secret_id_file_path");
  const removes = config.text("remove_secret_id_file_after_reading") ?? "true";
  return {
    type: "approle",
    mount,
    roleIdFile: config.required("role_id_file_path"),
    ...(secretIdFile === undefined ? {} : { secretIdFile }),
    removesSecret: removes !== "false",
  };
}

function jwt(config: Section, mount: string): AgentAuth {
  const removes = config.text("remove_jwt_after_reading") ?? "true";
  return {
    type: "jwt",
    mount,
    role: config.required("role"),
    jwtFile: config.required("path"),
    removesSecret: removes !== "false",
  };
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

function sourceOf(section: Section): AgentTemplate {
  const [path, contents] = [section.text("source"), section.text("contents")];
  if ((path === undefined) === (contents === undefined))
    throw section.fail('a template needs "source" or "contents", and one of them only');
  return {
    source: path === undefined ? { contents: contents ?? "" } : { path },
    errorOnMissingKey: section.flag("error_on_missing_key"),
  };
}

function fileTemplateOf(section: Section): FileTemplate {
  const run = section.block("exec");
  const line = section.texts("command") ?? [];
  // A single text is a line for the shell, as Vault's agent takes it.
  const shell = line.length === 1 ? ["/bin/sh", "-c", line[0] ?? ""] : line;
  const template = {
    ...sourceOf(section),
    destination: section.required("destination"),
    mode: section.parsed("perms", parseMode) ?? PRIVATE_MODE,
    makesDirectories: section.text("create_dest_dirs") !== "false",
    command: run?.texts("command") ?? shell,
  };
  run?.ignore("timeout");
  run?.end();
  section.ignore("command_timeout", "backup");
  section.end();
  return template;
}

function variableOf(section: Section): AgentTemplate & { readonly name: string } {
  const name = section.label ?? "";
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw section.fail('"env_template" needs a variable\'s name: env_template "NAME" { … }');
  const template = { name, ...sourceOf(section) };
  section.end();
  return template;
}

function processOf(section: Section | undefined): AgentProcess | null {
  if (section === undefined) return null;
  const command = section.texts("command") ?? [];
  if (command.length === 0) throw section.fail('"exec" needs a "command"');
  const restarts = section.text("restart_on_secret_changes") ?? "always";
  if (restarts !== "always" && restarts !== "never")
    throw section.fail('"restart_on_secret_changes" is "always" or "never"');
  const stopSignal = section.text("restart_stop_signal") ?? "SIGTERM";
  if (!/^SIG[A-Z0-9]+$/.test(stopSignal))
    throw section.fail(`"restart_stop_signal": there is no signal "${stopSignal}"`);
  section.end();
  return { command, restarts: restarts === "always", stopSignal };
}
