import { REASONS, type Reason } from "../../test/compat/reasons.ts";
import VAULT from "../../test/compat/vault-api-core.json" with { type: "json" };
import { type Access, type Declared, declaredPaths } from "./declarations.ts";

/** An endpoint of Vault's, by its path; each alternative form of a path stands for itself. */
interface Endpoint {
  readonly path: string;
  readonly operations: readonly string[];
  /** Those of body and query; not what the path names. */
  readonly parameters: readonly string[];
  readonly access: Access;
}

/** What of an endpoint is not there, and why as far as somebody gave a reason. */
interface Lack {
  readonly what: string;
  readonly reason: string | undefined;
}

export interface Verdict {
  readonly path: string;
  readonly operations: readonly string[];
  readonly served: boolean;
  readonly lacks: readonly Lack[];
}

export interface Comparison {
  readonly verdicts: readonly Verdict[];
  /** What is neither served nor has a reason: `sys/x: parameter y`. */
  readonly unexplained: readonly string[];
  /** Reasons, or parts of them, for what is served, or what Vault does not have. */
  readonly unneeded: readonly string[];
}

/** Compares Vault's API with what vsec declares. */
export async function compare(): Promise<Comparison> {
  const declared = await declaredPaths();
  const used = new Set<string>();
  const verdicts = (VAULT as unknown as readonly Endpoint[]).map((endpoint) =>
    verdictOn(endpoint, declared, used),
  );
  const unexplained = verdicts.flatMap(({ path, lacks }) =>
    lacks.filter(({ reason }) => reason === undefined).map(({ what }) => `${path}: ${what}`),
  );
  return { verdicts, unexplained, unneeded: REASONS.flatMap(marks).filter((mark) => !used.has(mark)) };
}

function verdictOn(endpoint: Endpoint, declared: readonly Declared[], used: Set<string>): Verdict {
  const shape = endpoint.path.replace(/\{\w+\}/g, "{}");
  const ours = declared.filter((candidate) => candidate.shape === shape);
  const missing = (kind: "operation" | "parameter", names: readonly string[]): Lack[] =>
    names
      .filter((name) => !ours.some((path) => path[`${kind}s`].has(name)))
      .map((name) => ({ what: `${kind} ${name}`, reason: reasonFor(endpoint.path, kind, name, used) }));
  const others = new Set(ours.map(({ access }) => access).filter((access) => access !== endpoint.access));
  const access = [...others].map((needs) => ({
    what: `needs ${ACCESS[needs]} where Vault needs ${ACCESS[endpoint.access]}`,
    reason: reasonFor(endpoint.path, "access", needs, used),
  }));
  const lacks =
    ours.length === 0
      ? [{ what: "all of it", reason: reasonFor(endpoint.path, "endpoint", "", used) }]
      : [
          ...missing("operation", endpoint.operations),
          ...missing("parameter", endpoint.parameters),
          ...access,
        ];
  return { path: endpoint.path, operations: endpoint.operations, served: ours.length > 0, lacks };
}

const ACCESS: Readonly<Record<Access, string>> = {
  unauthenticated: "no token",
  token: "a token",
  sudo: "sudo",
};

/** One mark for each thing that a reason excuses, to tell which of them are needed. */
function marks(reason: Reason): string[] {
  const { path, operations = [], parameters = [], access } = reason;
  const parts = [
    ...(access === undefined ? [] : [`access ${access}`]),
    ...operations.map((name) => `operation ${name}`),
    ...parameters.map((name) => `parameter ${name}`),
  ];
  return parts.length === 0 ? [`${path}: endpoint`] : parts.map((part) => `${path}: ${part}`);
}

function reasonFor(path: string, kind: string, name: string, used: Set<string>): string | undefined {
  const part = kind === "endpoint" ? kind : `${kind} ${name}`;
  const found = REASONS.find(
    (reason) => covers(reason.path, path) && marks(reason).includes(`${reason.path}: ${part}`),
  );
  if (found !== undefined) used.add(`${found.path}: ${part}`);
  return found?.reason;
}

function covers(pattern: string, path: string): boolean {
  if (!pattern.endsWith("/*")) return pattern === path;
  const folder = pattern.slice(0, -2);
  return path === folder || path.startsWith(`${folder}/`);
}

const INTRO = `# Compatibility

Which of the endpoints and parameters of Vault's core API vsec has: the system's own (\`sys/\`), tokens, auth methods, identity and
cubbyhole. What is missing is listed with its reason. A path's parameters are those of Vault's that are not part of the path; vsec
may have more.

`;

/** The page for people, in Markdown. */
export async function compatibilityPage(): Promise<string> {
  const { verdicts } = await compare();
  const whole = verdicts.filter(({ served, lacks }) => served && lacks.length === 0);
  const part = verdicts.filter(({ served, lacks }) => served && lacks.length > 0);
  const none = verdicts.filter(({ served }) => !served);
  const name = ({ path, operations }: Verdict): string => `\`${path}\` | ${operations.join(", ")}`;
  const partRows = part.flatMap((verdict) =>
    byReason(verdict).map(([why, whats]) => `| \`${verdict.path}\` | ${whats} | ${why} |`),
  );
  return [
    "<!-- Generated by scripts/generate-docs.ts from the declarations of paths and test/compat; edit those. -->\n\n",
    INTRO,
    `Of ${verdicts.length} endpoints ${whole.length} are served whole, ${part.length} in part, and ${none.length} are not there.\n\n`,
    `## Served in part\n\n| Path | Missing | Reason |\n| --- | --- | --- |\n${partRows.join("\n")}\n\n`,
    `## Not served\n\n| Path | Operations | Reason |\n| --- | --- | --- |\n`,
    none.map((verdict) => `| ${name(verdict)} | ${verdict.lacks[0]?.reason ?? ""} |\n`).join(""),
    `\n## Served\n\n| Path | Operations |\n| --- | --- |\n`,
    whole.map((verdict) => `| ${name(verdict)} |\n`).join(""),
  ].join("");
}

function byReason({ lacks }: Verdict): (readonly [string, string])[] {
  const groups = Map.groupBy(lacks, ({ reason = "" }) => reason);
  return [...groups].map(([why, group]) => [why, group.map(({ what }) => what).join(", ")] as const);
}
