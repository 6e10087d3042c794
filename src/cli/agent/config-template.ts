import { PRIVATE_MODE, parseMode } from "../render/target.ts";
import type { Section } from "./sections.ts";

/** What stands around actions. */
export interface Delimiters {
  readonly left: string;
  readonly right: string;
}

export interface AgentTemplate {
  /** A file, or the text itself. */
  readonly source: { readonly path: string } | { readonly contents: string };
  readonly delimiters: Delimiters;
  readonly errorOnMissingKey: boolean;
}

/** How long what is rendered has to stay the same before it is written, and how long that is waited for at most. */
export interface QuietTime {
  readonly secondsMin: number;
  readonly secondsMax: number;
}

export interface FileTemplate extends AgentTemplate {
  readonly destination: string;
  readonly mode: number;
  readonly makesDirectories: boolean;
  /** Whether what was in the file stays beside it, as `.bak`. */
  readonly keepsBackup: boolean;
  /** Null: a change is written at once. */
  readonly wait: QuietTime | null;
  /** Run after each change; empty: nothing is. */
  readonly command: readonly string[];
  readonly commandSeconds: number;
}

export type VariableTemplate = AgentTemplate & { readonly name: string };

const COMMAND_SECONDS = 30;
/** Of its `min`, where a `wait` has no `max`. */
const WAIT_FACTOR = 4;

function sourceOf(section: Section): AgentTemplate {
  const [path, contents] = [section.text("source"), section.text("contents")];
  if ((path === undefined) === (contents === undefined))
    throw section.fail('a template needs "source" or "contents", and one of them only');
  return {
    source: path === undefined ? { contents: contents ?? "" } : { path },
    delimiters: {
      left: section.text("left_delimiter") || "{{",
      right: section.text("right_delimiter") || "}}",
    },
    errorOnMissingKey: section.flag("error_on_missing_key"),
  };
}

/** Reads a `template`. @throws HclError */
export function fileTemplateOf(section: Section): FileTemplate {
  const run = section.block("exec");
  const line = section.texts("command") ?? [];
  // A single text is a line for the shell, as Vault's agent takes it.
  const shell = line.length === 1 ? ["/bin/sh", "-c", line[0] ?? ""] : line;
  if (run !== undefined && line.length > 0) throw section.fail('"command" and "exec" are one too many');
  const template = {
    ...sourceOf(section),
    destination: section.required("destination"),
    mode: section.parsed("perms", parseMode) ?? PRIVATE_MODE,
    makesDirectories: section.flag("create_dest_dirs", true),
    keepsBackup: section.flag("backup"),
    wait: waitOf(section),
    command: run?.texts("command") ?? shell,
    commandSeconds: run?.duration("timeout") || section.duration("command_timeout") || COMMAND_SECONDS,
  };
  run?.end();
  section.end();
  return template;
}

function waitOf(template: Section): QuietTime | null {
  const wait = template.block("wait");
  if (wait === undefined) return null;
  const secondsMin = wait.duration("min") ?? 0;
  const secondsMax = wait.duration("max") ?? secondsMin * WAIT_FACTOR;
  if (secondsMax < secondsMin) throw wait.fail('"max" must not be less than "min"');
  wait.end();
  return secondsMin === 0 ? null : { secondsMin, secondsMax };
}

/** Reads an `env_template`. @throws HclError */
export function variableOf(section: Section): VariableTemplate {
  const name = section.label ?? "";
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw section.fail('"env_template" needs a variable\'s name: env_template "NAME" { … }');
  const template = { name, ...sourceOf(section) };
  section.end();
  return template;
}
