import type { StoredEntry, Write } from "../../barrier/port.ts";
import { hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import { type ProcessIdentity, processIdentityOf } from "../../base/processes.ts";
import type { Services } from "../services.ts";
import { hostPrefix, LOOK_AGAIN_MS, OWNER_DUE_MS_MAX } from "./owner-keys.ts";
import type { Revocation } from "./revoke.ts";
import { leasesOfOwner } from "./store.ts";

/**
 * A lease may be for a process: then it ends with it, however that ends. `vsec run` asks for its leases in this way.
 *
 *     lease-owner/<host>/<process>   due: look whether the process is still there; the value is its identity
 *
 * and its leases are tagged with the key of that entry.
 *
 * The process that a lease is for normally revokes it. Where it could not (it was killed, the machine was restarted), this is
 * found out in two ways. The owner's entry is due again and again while it lives, so a daemon finds it dead within
 * {@link LOOK_AGAIN_MS}; that costs one write for each process and interval, whatever number of leases it has. And every
 * command looks, after its answer, through the owners of its own machine, which is one read of a page where there are none.
 * Neither reads a lease whose owner lives, and nothing is read at start.
 *
 * Only what numbers processes in the same way can tell that one is gone (`base/processes.ts`): an owner on another machine or
 * in another container is left alone, and its leases end by their TTL, which whoever holds them renews while it lives.
 */

/** A lease of a dead owner that another process has in hand; it is looked at once more. */
const IN_HAND_MS = 10_000;
/** Owners that one command looks at, at most. The others are due like everything else. */
const OWNERS_MAX = 64;

/**
 * Due work: looks after one owner. Its leases are revoked when it is gone; its entry goes with the last of them.
 * @throws What the store throws; a revocation that fails is the lease's own due work from then on.
 */
export async function settleOwner(services: Services, entry: StoredEntry): Promise<Revocation> {
  const owner = decodeOwner(entry);
  const liveness = services.processes.liveness(owner);
  if (liveness === "dead") return endLeasesOfOwner(services, entry);
  if ((await leasesOfOwner(services, entry.key)).leases.length > 0) {
    await lookAgain(services, entry, liveness === "alive" ? LOOK_AGAIN_MS : OWNER_DUE_MS_MAX);
  } else await commitOrLeave(services, [{ op: "delete", key: entry.key, expect: entry.version }]);
  return { revoked: [], failed: [] };
}

/** Revokes what dead processes of this machine have left, as far as one page of them goes. */
export async function endLeasesOfDead(services: Services): Promise<Revocation> {
  const host = services.processes.host();
  if (host === null) return { revoked: [], failed: [] };
  const prefix = hostPrefix(host);
  const page = await services.barrier.list(prefix, { limit: OWNERS_MAX });
  const results: Revocation[] = [];
  for (const name of page.names) {
    const entry = await services.barrier.get(prefix + name);
    if (entry === null || services.processes.liveness(decodeOwner(entry)) !== "dead") continue;
    results.push(await endLeasesOfOwner(services, entry));
  }
  return {
    revoked: results.flatMap((result) => result.revoked),
    failed: results.flatMap((result) => result.failed),
  };
}

async function endLeasesOfOwner(services: Services, entry: StoredEntry): Promise<Revocation> {
  const page = await leasesOfOwner(services, entry.key);
  // Loaded only where somebody has died: every command comes by here.
  const { revokeLeases } = await import("./revoke.ts");
  const result = await revokeLeases(
    services,
    page.leases.filter(({ record }) => record.state !== "revoking"),
  );
  // Those that failed are due by themselves now; one that another process took is in its hands.
  const isLast = page.next === undefined;
  if (isLast && (await areAllEnding(services, entry.key)))
    await commitOrLeave(services, [{ op: "delete", key: entry.key, expect: entry.version }]);
  else await lookAgain(services, entry, isLast ? IN_HAND_MS : 0);
  return result;
}

async function areAllEnding(services: Services, key: string): Promise<boolean> {
  const { leases } = await leasesOfOwner(services, key);
  return leases.every(({ record }) => record.state === "revoking");
}

function lookAgain(services: Services, { key, value, version }: StoredEntry, inMs: number): Promise<void> {
  const dueAt = services.clock.now() + inMs;
  return commitOrLeave(services, [{ op: "put", key, value, dueAt, expect: version }]);
}

/** An entry that changed meanwhile has a new lease below it, or was looked after by somebody else. */
async function commitOrLeave({ barrier }: Services, writes: readonly Write[]): Promise<void> {
  try {
    await barrier.commit(writes);
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}

/** @throws BARRIER_DAMAGED when the entry is none of ours. */
function decodeOwner(entry: StoredEntry): ProcessIdentity {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  const owner = isJsonObject(value) ? processIdentityOf(value) : null;
  if (owner === null) throw new VsecError("BARRIER_DAMAGED", "the record of a lease's owner cannot be read");
  return owner;
}
