import type { Backend, PathSpec } from "./backend.ts";
import type { FieldKind, FieldSpec } from "./field.ts";
import { matchPath } from "./path-match.ts";

const COLUMNS = 80;

/** The names of the types as `path-help` shows them. */
const TYPE_NAMES: Readonly<Record<FieldKind, string>> = {
  string: "string",
  lowerCaseString: "lowercase string",
  int: "int",
  float: "float",
  bool: "bool",
  duration: "duration (sec)",
  signedDuration: "signed duration (sec)",
  time: "time",
  list: "slice",
  stringList: "slice",
  commaStringList: "slice",
  commaIntList: "slice",
  map: "map",
  kvPairs: "keypair",
};

/** What help needs to know of an engine. */
export type HelpfulBackend = Pick<Backend, "help" | "paths">;

/**
 * Finds the path that help is asked for.
 * @param below - A request's path below the mount, or a pattern as help itself shows them: `roles/:name`.
 */
export function findPath(backend: HelpfulBackend, below: string): PathSpec | undefined {
  return matchPath(backend, below)?.spec ?? backend.paths.find(({ pattern }) => pattern === below);
}

/**
 * The text of `path-help`, without a line break at its end.
 * @param below - The path below the mount. Empty: the mount itself, whose paths are listed.
 * @returns Undefined when the engine has no such path.
 */
export function helpText(backend: HelpfulBackend, below: string): string | undefined {
  if (below === "") return mountHelp(backend);
  const spec = findPath(backend, below);
  return spec === undefined ? undefined : pathHelp(spec, below);
}

function mountHelp(backend: HelpfulBackend): string {
  const paths = backend.paths.toSorted((a, b) => (a.pattern < b.pattern ? -1 : 1));
  const listed = paths.map(
    ({ pattern, help }) =>
      `${indent(4, pattern === "" ? "(the mount itself)" : pattern)}\n${indent(8, help.synopsis)}`,
  );
  const about =
    "These are the paths below this mount. Ask for help with any path that has one of these forms to see its parameters. What your token may do with them is up to its policies.";
  return sections("## DESCRIPTION", wrap(backend.help), "## PATHS", wrap(about), ...listed);
}

function pathHelp(spec: PathSpec, below: string): string {
  const head = `Request:        ${below}\nMatching Route: ${spec.pattern}`;
  const fields = Object.entries(spec.fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = [head, wrap(spec.help.synopsis)];
  if (fields.length > 0)
    parts.push("## PARAMETERS", ...fields.map(([name, field]) => fieldHelp(name, field)));
  parts.push("## OPERATIONS", operationsHelp(spec));
  if (spec.help.description !== undefined) parts.push("## DESCRIPTION", wrap(spec.help.description));
  return sections(...parts);
}

function fieldHelp(name: string, spec: FieldSpec<unknown>): string {
  const marks = [spec.required ? ", required" : "", spec.deprecated ? ", deprecated" : ""].join("");
  const notes = [spec.description];
  if (spec.allowed !== undefined) notes.push(`One of: ${spec.allowed.map(shown).join(", ")}.`);
  if (spec.default !== undefined) notes.push(`Default: ${shown(spec.default)}.`);
  const text = notes.map((note) => indent(8, note)).join("\n");
  return `${indent(4, `${name} (${TYPE_NAMES[spec.kind]}${marks})`)}\n\n${text}`;
}

function shown(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

function operationsHelp(spec: PathSpec): string {
  const lines = Object.entries(spec.operations).map(([name, operation]) =>
    indent(4, `${`${name}:`.padEnd(8)} ${operation.summary}`),
  );
  if (spec.unauthenticated) lines.push("", indent(4, "Needs no token."));
  if (spec.sudo) lines.push("", indent(4, "Needs the sudo capability."));
  return lines.join("\n");
}

/** Parts with an empty line between any two. */
function sections(...parts: readonly string[]): string {
  return parts.join("\n\n");
}

function indent(columns: number, text: string): string {
  const margin = " ".repeat(columns);
  return wrap(text, COLUMNS - columns)
    .split("\n")
    .map((line) => (line === "" ? line : margin + line))
    .join("\n");
}

/** Breaks lines at spaces so that they fit; the text's own line breaks stay. */
function wrap(text: string, columns = COLUMNS): string {
  return text
    .trim()
    .split("\n")
    .map((line) => wrapLine(line.trimEnd(), columns))
    .join("\n");
}

function wrapLine(line: string, columns: number): string {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current].join("\n");
}
