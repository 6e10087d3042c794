import { initBarrier } from "../../barrier/open.ts";
import type { Storage } from "../../barrier/port.ts";
import { newRootKey } from "../../barrier/root-key.ts";
import type { Seal, SealConfig } from "../../barrier/seals/port.ts";
import type { Split } from "../../barrier/seals/split.ts";
import type { Clock } from "../../base/clock.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import { type Random, randomUuid } from "../../base/random.ts";
import { emptyMountTable } from "../mounts/table.ts";
import { newRootToken } from "../tokens/store.ts";

/** What a new store is made with. */
export interface NewStoreDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The seal of that type, or, for null, the best this machine has. @throws ApiError 400 for an unknown type. */
  chooseSeal(type: string | null): Promise<Seal>;
  createStorage(): Storage;
}

export interface NewStore {
  readonly config: SealConfig;
  readonly rootToken: string;
  /** The shares of a Shamir seal; none for others. */
  readonly keys: readonly Uint8Array[];
}

/** A root key that is protected, before there is a store that it opens. */
interface Protected {
  readonly config: SealConfig;
  readonly keys: readonly Uint8Array[];
  /** Removes what the protection left outside of the store. */
  undo(): Promise<void>;
}

/**
 * Makes a store: a root key, its seal, the keyring and the first root token.
 * @throws ApiError 400 when there is a store already, or when this machine cannot hold its key.
 */
export async function makeStore(deps: NewStoreDeps, seal: string | Split | null): Promise<NewStore> {
  const { random, clock } = deps;
  const rootKey = newRootKey(random);
  const held = await protect(deps, rootKey, seal);
  failpoint("init:protected");
  let rootToken = "";
  try {
    await initBarrier({
      storage: deps.createStorage(),
      rootKey,
      clock,
      random,
      seal: held.config,
      writes: (barrier) => {
        const token = newRootToken(barrier, random, clock.now());
        rootToken = token.id;
        return [emptyMountTable(), ...token.writes];
      },
    });
  } catch (error) {
    await held.undo();
    if (hasCode(error, "STORE_CONFLICT")) throw badRequest("Vault is already initialized");
    throw error;
  } finally {
    rootKey.fill(0);
  }
  return { config: held.config, rootToken, keys: held.keys };
}

async function protect(
  deps: NewStoreDeps,
  rootKey: Uint8Array,
  wanted: string | Split | null,
): Promise<Protected> {
  const storeId = randomUuid(deps.random);
  if (typeof wanted === "object" && wanted !== null) {
    const { shamirSeal } = await import("../../barrier/seals/shamir.ts");
    const { config, shares, unsealKey } = await shamirSeal(rootKey, storeId, wanted, deps.random);
    unsealKey.fill(0);
    return { config, keys: shares, undo: async () => undefined };
  }
  const seal = await deps.chooseSeal(wanted);
  try {
    const config = await seal.protect(rootKey, storeId);
    return { config, keys: [], undo: () => seal.forget(config) };
  } catch (error) {
    // The caller can choose another seal.
    if (hasCode(error, "SEAL_UNAVAILABLE")) throw badRequest(error.message, error);
    throw error;
  }
}
