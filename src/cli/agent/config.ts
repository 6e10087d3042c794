import { constants } from "node:os";
import { parseHcl } from "../../base/hcl/parse.ts";
import type { TlsClientOptions } from "../context.ts";
import { type AgentAuth, type AgentSink, authOf, sinksOf } from "./config-auth.ts";
import { type FileTemplate, fileTemplateOf, type VariableTemplate, variableOf } from "./config-template.ts";
import { Section } from "./sections.ts";

export interface AgentProcess {
  readonly command: readonly string[];
  readonly restarts: boolean;
  readonly stopSignal: NodeJS.Signals;
}

/** A configuration file of the agent, read. */
export interface AgentConfig {
  readonly address?: string;
  readonly tls?: TlsClientOptions;
  readonly auth: AgentAuth | null;
  readonly sinks: readonly AgentSink[];
  readonly templates: readonly FileTemplate[];
  readonly variables: readonly VariableTemplate[];
  readonly process: AgentProcess | null;
  readonly exitsAfterAuth: boolean;
  readonly staticIntervalSeconds: number;
  /** How often rendering may fail in a row before that ends the agent; null: it goes on trying. */
  readonly failuresMax: number | null;
  readonly pidFile?: string;
}

const STATIC_INTERVAL_SECONDS = 300;
const RETRIES = 12;

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
  const tls = vault === undefined ? {} : tlsOf(vault);
  const retries = retriesOf(vault);
  const pidFile = root.text("pid_file");
  const config: AgentConfig = {
    ...(address === undefined ? {} : { address }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    auth: autoAuth === undefined ? null : authOf(autoAuth),
    sinks: autoAuth === undefined ? [] : sinksOf(autoAuth),
    templates: root.blocks("template").map(fileTemplateOf),
    variables: root.blocks("env_template").map(variableOf),
    process: processOf(root.block("exec")),
    exitsAfterAuth: root.flag("exit_after_auth"),
    staticIntervalSeconds: settings?.duration("static_secret_render_interval") || STATIC_INTERVAL_SECONDS,
    failuresMax: settings?.flag("exit_on_retry_failure") === true ? retries : null,
    ...(pidFile === undefined ? {} : { pidFile }),
  };
  // Requests here go out one by one.
  settings?.ignore("max_connections_per_host");
  root.ignore("log_level", "log_format", "disable_mlock");
  for (const section of [vault, autoAuth, settings, root]) section?.end();
  checkWhole(root, config);
  return config;
}

function checkWhole(root: Section, { variables, process, exitsAfterAuth, sinks, auth }: AgentConfig): void {
  if (variables.length > 0 && process === null)
    throw root.fail('"env_template" needs "exec", whose command gets the variables');
  if (exitsAfterAuth && process !== null)
    throw root.fail('"exit_after_auth" and "exec" exclude each other: the command would never be run');
  if (auth?.type === "token_file" && sinks.some(({ path }) => path === auth.tokenFile))
    throw root.fail("a sink would write to the file that the token is read from");
}

function tlsOf(vault: Section): TlsClientOptions {
  const files = {
    caCert: vault.text("ca_cert"),
    caPath: vault.text("ca_path"),
    clientCert: vault.text("client_cert"),
    clientKey: vault.text("client_key"),
    serverName: vault.text("tls_server_name"),
  };
  const given = Object.entries(files).filter(([, value]) => value !== undefined && value !== "");
  return { ...Object.fromEntries(given), ...(vault.flag("tls_skip_verify") ? { skipVerify: true } : {}) };
}

/** 0 stands for the usual number, -1 for none. */
function retriesOf(vault: Section | undefined): number {
  const retry = vault?.block("retry");
  const count = retry?.parsed("num_retries", parseCount) ?? 0;
  retry?.end();
  return count === 0 ? RETRIES : Math.max(0, count);
}

function parseCount(text: string): number {
  if (!/^(?:-1|\d{1,6})$/.test(text)) throw new SyntaxError(`"${text}" is no number of retries`);
  return Number(text);
}

function processOf(section: Section | undefined): AgentProcess | null {
  if (section === undefined) return null;
  const command = section.texts("command") ?? [];
  if (command.length === 0) throw section.fail('"exec" needs a "command"');
  const restarts = section.text("restart_on_secret_changes") ?? "always";
  if (restarts !== "always" && restarts !== "never")
    throw section.fail('"restart_on_secret_changes" is "always" or "never"');
  const stopSignal = section.text("restart_stop_signal") ?? "SIGTERM";
  if (!Object.hasOwn(constants.signals, stopSignal))
    throw section.fail(`"restart_stop_signal": there is no signal "${stopSignal}"`);
  section.end();
  return { command, restarts: restarts === "always", stopSignal: stopSignal as NodeJS.Signals };
}
