/** A small world for barriers: a clock that stands still until told, real randomness, a store in memory. */
import { createSecretKey, type KeyObject } from "node:crypto";
import { initBarrier, openBarrier } from "../../src/barrier/open.ts";
import type { Barrier } from "../../src/barrier/port.ts";
import type { SealConfig } from "../../src/barrier/seals/port.ts";
import type { Clock } from "../../src/base/clock.ts";
import { VsecError } from "../../src/base/errors.ts";
import type { Random } from "../../src/base/random.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import type { Storage } from "../../src/storage/port.ts";

export const STORE_ID = "7b1c0a3e-5f7d-4c1e-9b0a-2f6f3c0d1e2a";
export const OTHER_STORE_ID = "00000000-5f7d-4c1e-9b0a-2f6f3c0d1e2a";

export class StoppedClock implements Clock {
  #now = 1_700_000_000_000;

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number): Promise<void> {
    this.advance(ms);
  }
}

export interface World {
  readonly storage: Storage;
  readonly clock: StoppedClock;
  readonly rootKey: Uint8Array;
  readonly barrier: Barrier;
  /** Another process on the same store. */
  open(): Promise<Barrier>;
}

export const SEAL: SealConfig = { type: "key-file", storeId: STORE_ID, params: { path: "/nowhere" } };

export async function newWorld(storage: Storage = openMemoryStorage()): Promise<World> {
  const clock = new StoppedClock();
  const rootKey = systemRandom.bytes(32);
  const options = { storage, rootKey, clock, random: systemRandom };
  const barrier = await initBarrier({ ...options, seal: SEAL });
  return { storage, clock, rootKey, barrier, open: () => openBarrier(options) };
}

/** Randomness that always gives these bytes. */
export function fixedRandom(hex: string): Random {
  return { bytes: (length) => Buffer.from(hex, "hex").subarray(0, length) };
}

export function keyFrom(hex: string): KeyObject {
  return createSecretKey(Buffer.from(hex, "hex"));
}

/** The code with which `attempt` fails; "none" when it does not fail. Rethrows what has no code. */
export async function codeOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "none";
  } catch (error) {
    if (error instanceof VsecError) return error.code;
    throw error;
  }
}

/** Every copy of `bytes` with one bit turned over. */
export function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
}

/** Every proper beginning of `bytes`. */
export function* beginnings(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.slice(0, length);
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const untext = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
