import { hasCode } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import type { Instance } from "../core/instance.ts";
import type { DueWork } from "./loop.ts";

/** The instance's core; null while it is sealed, or before there is a store. */
export async function unsealedCore(instance: Instance): Promise<Core | null> {
  try {
    return await instance.core();
  } catch (error) {
    if (hasCode(error, "STORE_MISSING")) return null;
    throw error;
  }
}

/** The due work of an instance that may be sealed and unsealed while the loop runs. Sealed, nothing is due. */
export function dueWorkOf(instance: Instance): DueWork {
  return {
    claimDue: async (limit) => (await unsealedCore(instance))?.claimDue(limit) ?? [],
    doDue: async (entries) => (await unsealedCore(instance))?.doDue(entries) ?? entries.length,
    nextDue: async () => (await unsealedCore(instance))?.nextDue() ?? null,
  };
}
