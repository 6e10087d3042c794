import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Reason } from "../../test/compat/reason.ts";
import type { Access } from "./declarations.ts";

/** An endpoint of Vault's, by its path; each alternative form of a path stands for itself. */
export interface Endpoint {
  readonly path: string;
  readonly operations: readonly string[];
  /** Those of body and query; not what the path names. */
  readonly parameters: readonly string[];
  /** Absent: not known. */
  readonly access?: Access;
}

/** A part of Vault's API, with what is said about what is missing here. */
export interface Area {
  /** `core`; else an engine, and where it has several versions which one: `aws`, `kv-v2`. Its endpoints are below that name. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly reasons: readonly Reason[];
}

/** What is no engine: the system's own paths, tokens, auth methods, identity and cubbyhole. */
export const CORE_AREA = "core";

const COMPAT = join(import.meta.dir, "../../test/compat");

/** Reads Vault's API, the core first: a file in `api` for each area, and one in `reasons` where something is missing. */
export async function vaultApi(): Promise<readonly Area[]> {
  const names = namesIn("api", ".json").toSorted((a, b) => Number(b === CORE_AREA) - Number(a === CORE_AREA));
  const excused = new Set(namesIn("reasons", ".ts"));
  return Promise.all(
    names.map(async (name): Promise<Area> => {
      const endpoints = (await Bun.file(join(COMPAT, "api", `${name}.json`)).json()) as Endpoint[];
      return { name, endpoints, reasons: excused.has(name) ? await reasonsOf(name) : [] };
    }),
  );
}

function namesIn(folder: string, extension: string): readonly string[] {
  return readdirSync(join(COMPAT, folder))
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .sort();
}

async function reasonsOf(name: string): Promise<readonly Reason[]> {
  const module = (await import(join(COMPAT, "reasons", `${name}.ts`))) as { REASONS: readonly Reason[] };
  return module.REASONS;
}
