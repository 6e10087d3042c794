/** Seals in a directory of their own, with real files and a keychain that a test can take away. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type SealDependencies, sealEnvironment } from "../../src/barrier/seals/dependencies.ts";
import { VsecError } from "../../src/base/errors.ts";
import type { Keychain } from "../../src/base/keychain.ts";
import { Secret } from "../../src/base/secret.ts";
import { systemFiles } from "../../src/platform/files.ts";
import { systemRandom } from "../../src/platform/random.ts";

/** A keychain of the test's own, so that the rules above it are tested wherever there is no real one. */
export class TestKeychain implements Keychain {
  readonly items = new Map<string, string>();
  answers = true;

  async available(): Promise<boolean> {
    return this.answers;
  }

  async get(service: string, name: string): Promise<Secret<string> | null> {
    this.#ask();
    const value = this.items.get(`${service}/${name}`);
    return value === undefined ? null : new Secret(value);
  }

  async set(service: string, name: string, value: Secret<string>): Promise<void> {
    this.#ask();
    this.items.set(`${service}/${name}`, value.reveal());
  }

  async delete(service: string, name: string): Promise<boolean> {
    this.#ask();
    return this.items.delete(`${service}/${name}`);
  }

  #ask(): void {
    if (!this.answers) throw new VsecError("KEYCHAIN_UNAVAILABLE", "no keychain");
  }
}

export interface SealWorld extends SealDependencies {
  readonly keychain: TestKeychain;
  /** The same world with other variables. */
  withEnv(env: Readonly<Record<string, string>>): SealWorld;
}

/** @param inMemory - Whether the runtime directory counts as kept in memory. */
export function sealWorld(directory: string, inMemory = true): SealWorld {
  const runtime = join(directory, "runtime");
  mkdirSync(runtime, { mode: 0o700, recursive: true });
  const world: SealWorld = {
    env: sealEnvironment({}),
    keychain: new TestKeychain(),
    files: { ...systemFiles, isInMemory: () => inMemory },
    directories: { config: join(directory, "config"), runtime },
    random: systemRandom,
    withEnv: (env) => ({ ...world, env: sealEnvironment(env) }),
  };
  return world;
}
