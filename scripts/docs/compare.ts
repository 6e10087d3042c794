import type { Reason } from "../../test/compat/reason.ts";
import { type Access, type Declared, declaredPaths } from "./declarations.ts";
import { type Area, CORE_AREA, type Endpoint, vaultApi } from "./vault-api.ts";

/** What of an endpoint is not there, and why as far as somebody gave a reason. */
export interface Lack {
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
  readonly area: string;
  readonly verdicts: readonly Verdict[];
  /** What is neither served nor has a reason: `sys/x: parameter y`. */
  readonly unexplained: readonly string[];
  /** Reasons, or parts of them, for what is served, or what Vault does not have. */
  readonly unneeded: readonly string[];
}

/** Vault's API beside what vsec declares. */
export interface Comparisons {
  /** The core, and the engines that are part of vsec. */
  readonly compared: readonly Comparison[];
  /** Engines of Vault's that vsec does not have. */
  readonly absent: readonly Area[];
}

export async function compare(): Promise<Comparisons> {
  const areas = await vaultApi();
  const { paths, engines } = await declaredPaths(
    areas.map(({ name }) => name).filter((name) => name !== CORE_AREA),
  );
  const has = ({ name }: Area): boolean => name === CORE_AREA || engines.has(name);
  return {
    compared: areas.filter(has).map((area) => compareArea(area, paths)),
    absent: areas.filter((area) => !has(area)),
  };
}

function compareArea({ name, endpoints, reasons }: Area, declared: readonly Declared[]): Comparison {
  const excuses = new Excuses(reasons);
  const verdicts = endpoints.map((endpoint) => verdictOn(endpoint, declared, excuses));
  const unexplained = verdicts.flatMap(({ path, lacks }) =>
    lacks.filter(({ reason }) => reason === undefined).map(({ what }) => `${path}: ${what}`),
  );
  return { area: name, verdicts, unexplained, unneeded: excuses.unneeded() };
}

function verdictOn(endpoint: Endpoint, declared: readonly Declared[], excuses: Excuses): Verdict {
  const { path, operations } = endpoint;
  const ours = declared.filter((candidate) => candidate.serves(path));
  const served = ours.length > 0;
  const lacks = served
    ? lacksOf(endpoint, ours, excuses)
    : [{ what: "all of it", reason: excuses.find(path, "endpoint") }];
  return { path, operations, served, lacks };
}

function lacksOf(endpoint: Endpoint, ours: readonly Declared[], excuses: Excuses): Lack[] {
  const { path, operations, parameters, access } = endpoint;
  const missing = (kind: "operation" | "parameter", names: readonly string[]): Lack[] =>
    names
      .filter((name) => !ours.some((candidate) => candidate[`${kind}s`].has(name)))
      .map((name) => ({ what: `${kind} ${name}`, reason: excuses.find(path, `${kind} ${name}`) }));
  const others = new Set(ours.map((candidate) => candidate.access).filter((needs) => needs !== access));
  const differing = access === undefined ? [] : [...others].map((needs) => [needs, access] as const);
  return [
    ...missing("operation", operations),
    ...missing("parameter", parameters),
    ...differing.map(([needs, vaults]) => ({
      what: `needs ${ACCESS[needs]} where Vault needs ${ACCESS[vaults]}`,
      reason: excuses.find(path, `access ${needs}`),
    })),
  ];
}

const ACCESS: Readonly<Record<Access, string>> = {
  unauthenticated: "no token",
  token: "a token",
  sudo: "sudo",
};

/** The reasons of an area, and which of them somebody asked for. */
class Excuses {
  readonly #reasons: readonly Reason[];
  readonly #used = new Set<string>();

  constructor(reasons: readonly Reason[]) {
    this.#reasons = reasons;
  }

  /** @param part - `endpoint`, `operation list`, `parameter ttl`, `access sudo`. */
  find(path: string, part: string): string | undefined {
    const found = this.#reasons.find(
      (reason) => covers(reason.path, path) && marks(reason).includes(`${reason.path}: ${part}`),
    );
    if (found !== undefined) this.#used.add(`${found.path}: ${part}`);
    return found?.reason;
  }

  unneeded(): readonly string[] {
    return this.#reasons.flatMap(marks).filter((mark) => !this.#used.has(mark));
  }
}

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

function covers(pattern: string, path: string): boolean {
  if (!pattern.endsWith("/*")) return pattern === path;
  const folder = pattern.slice(0, -2);
  return path === folder || path.startsWith(`${folder}/`);
}
