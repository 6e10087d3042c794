import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { ABSENT, type Storage, type Write } from "../storage/port.ts";
import { loadKeyring, StoreBarrier } from "./barrier.ts";
import { encryptKeyring, KEYRING_KEY, newKeyring } from "./keyring.ts";
import type { Barrier } from "./port.ts";
import { keyringKeys } from "./root-key.ts";
import { encodeSealConfig, SEAL_KEY } from "./seal-config.ts";
import type { SealConfig } from "./seals/port.ts";

/** What a barrier is opened over. */
export interface BarrierOptions {
  readonly storage: Storage;
  /** 32 bytes. Not kept; the caller may wipe it afterwards. */
  readonly rootKey: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

export interface InitOptions extends BarrierOptions {
  /** What the seal's `protect` gave. */
  readonly seal: SealConfig;
  /** The first entries, with plain keys and values. The hash is the new barrier's, for tokens among them. */
  readonly writes?: (barrier: Pick<Barrier, "hash">) => readonly Write[];
}

/** Puts of {@link initBarrier} that are not encrypted by the keyring: the keyring itself and the seal's configuration. */
const RESERVED_PUTS = 2;

/**
 * Initialises a store: keyring, seal configuration and the first entries, in one batch.
 * @throws STORE_CONFLICT when the store is initialised already, or a precondition of `writes` fails; then nothing is written.
 *   SEAL_WRONG_KEY when the root key is not 32 bytes.
 */
export async function initBarrier(options: InitOptions): Promise<Barrier> {
  const { storage, clock, random, seal, writes } = options;
  const root = keyringKeys(options.rootKey);
  const putsBefore = (await storage.writes()) + RESERVED_PUTS;
  const keyring = newKeyring(random, clock.now(), putsBefore);
  const barrier = new StoreBarrier({ storage, clock, random, root }, keyring);
  await storage.commit([
    { op: "put", key: KEYRING_KEY, value: encryptKeyring(root, keyring, random), expect: ABSENT },
    { op: "put", key: SEAL_KEY, value: encodeSealConfig(seal), expect: ABSENT },
    ...barrier.encryptWrites(writes?.(barrier) ?? []),
  ]);
  return barrier;
}

/**
 * Opens an initialised store.
 * @throws SEAL_WRONG_KEY when the root key is another store's; BARRIER_DAMAGED when the keyring is missing or not whole.
 */
export async function openBarrier(options: BarrierOptions): Promise<Barrier> {
  const { storage, clock, random } = options;
  const root = keyringKeys(options.rootKey);
  const { keyring } = await loadKeyring(storage, root);
  return new StoreBarrier({ storage, clock, random, root }, keyring);
}
