import type { Storage } from "../../barrier/port.ts";
import { replaceSealConfig } from "../../barrier/seal-config.ts";
import type { Seal, SealConfig, WholeKeySeal } from "../../barrier/seals/port.ts";
import type { Clock } from "../../base/clock.ts";
import { VsecError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Core } from "../core.ts";
import type { CeremonyWorld } from "./ceremony.ts";
import type { GenerateRoot } from "./generate-root.ts";
import type { Rekey } from "./rekey.ts";

/** What the ceremonies need of the instance whose store they are about. */
export interface CeremonyDeps {
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  readonly isOneShot: boolean;
  readonly seals: {
    of(type: WholeKeySeal): Promise<Seal>;
    prove(config: SealConfig, key: string): Promise<Uint8Array>;
  };
  storage(): Storage;
  /** @throws STORE_MISSING before init. */
  config(): Promise<SealConfig>;
  /** Null: sealed. */
  core(): Promise<Core | null>;
}

/** The ceremonies of one store in this process, made when they are first asked for. */
export class Ceremonies {
  readonly #deps: CeremonyDeps;
  #rekey: Rekey | undefined;
  #generateRoot: GenerateRoot | undefined;

  constructor(deps: CeremonyDeps) {
    this.#deps = deps;
  }

  async rekey(): Promise<Rekey> {
    const [{ Rekey }, world] = await Promise.all([import("./rekey.ts"), this.#world()]);
    this.#rekey ??= new Rekey(world);
    return this.#rekey;
  }

  async generateRoot(): Promise<GenerateRoot> {
    const [{ GenerateRoot }, world] = await Promise.all([import("./generate-root.ts"), this.#world()]);
    this.#generateRoot ??= new GenerateRoot(world);
    return this.#generateRoot;
  }

  /** Ends what is under way; the store stays as it is. */
  cancel(): void {
    this.#rekey?.cancel();
    this.#generateRoot?.cancel();
  }

  async #world(): Promise<CeremonyWorld> {
    const { authorityOf } = await import("./authority.ts");
    const { random, clock, log, isOneShot, seals, storage, config } = this.#deps;
    return {
      random,
      log,
      now: () => clock.now(),
      isOneShot,
      config,
      authority: (of) => authorityOf(of, seals.prove),
      replace: (from, to) => replaceSealConfig(storage(), from, to),
      forget: async (old) => {
        if (old.type !== "shamir") await (await seals.of(old.type)).forget(old);
      },
      mint: () => this.#mint(),
    };
  }

  async #mint(): Promise<string> {
    const core = await this.#deps.core();
    if (core === null) throw new VsecError("SEALED", "the store is sealed");
    const { newRootToken } = await import("../tokens/store.ts");
    const { barrier, random, clock } = core.services;
    const token = newRootToken(barrier, random, clock.now());
    await barrier.commit(token.writes);
    return token.id;
  }
}
