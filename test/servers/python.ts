/** Python environments below `.cache`, each made on first use with the packages that a test asks for. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dir, "../../.cache");
const INSTALL_MS_MAX = 240_000;
const PIP = [
  ...["-m", "pip", "install", "--quiet", "--retries=1", "--timeout=15"],
  "--disable-pip-version-check",
];

/** The packages of one environment. */
export class PythonEnvironment {
  readonly #name: string;
  readonly #directory: string;
  readonly #packages: readonly string[];
  #reason: string | undefined | null = null;

  /**
   * @param name - What it is for, in messages.
   * @param version - Names the environment, with `name`: another version gets one of its own.
   * @param packages - As pip takes them, each with its version.
   */
  constructor(name: string, version: string, packages: readonly string[]) {
    this.#name = name;
    this.#directory = join(CACHE, `${name}-${version}`);
    this.#packages = packages;
  }

  get python(): string {
    return join(this.#directory, "bin/python");
  }

  /** Why it cannot be had on this machine; undefined: it is there. Installs it when that was not done before. */
  missing(): string | undefined {
    if (this.#reason === null) this.#reason = this.#install();
    return this.#reason;
  }

  #install(): string | undefined {
    if (existsSync(this.python)) return undefined;
    mkdirSync(CACHE, { recursive: true });
    const draft = `${this.#directory}.${process.pid}`;
    const run = (file: string, ...args: string[]): void => {
      execFileSync(file, args, { stdio: "pipe", timeout: INSTALL_MS_MAX });
    };
    try {
      run("python3", "-m", "venv", draft);
      run(join(draft, "bin/python"), ...PIP, ...this.#packages);
      // Another run may have been quicker; one environment is as good as the other.
      if (!existsSync(this.#directory)) renameSync(draft, this.#directory);
      return undefined;
    } catch (error) {
      const { stderr } = error as { stderr?: Buffer };
      const lines = String(stderr ?? "")
        .trim()
        .split("\n");
      return `${this.#name} could not be installed: ${lines.at(-1) || String(error).split("\n")[0]}`;
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}
