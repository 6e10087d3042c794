import { createHash } from "node:crypto";
import type { Write } from "../../barrier/port.ts";
import type { HostIdentity, ProcessIdentity } from "../../base/processes.ts";
import type { LeaseRecord } from "./record.ts";

/** Entries about whom leases are for. @see owner.ts, which says how they are used. */
export const OWNER_PREFIX = "lease-owner/";

/** How soon after its last look a daemon looks again whether an owner is still there. */
export const LOOK_AGAIN_MS = 20_000;

/**
 * The longest that an owner's entry waits until it is due: one that cannot be seen from here, but perhaps by somebody else. Where
 * nothing is due by then, nothing is for a process.
 */
export const OWNER_DUE_MS_MAX = 600_000;

const encoder = new TextEncoder();

function segment(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

/** Below it are the owners that are processes of this host. */
export function hostPrefix({ machine, boot, namespace }: HostIdentity): string {
  return `${OWNER_PREFIX}${segment(JSON.stringify([machine, boot, namespace]))}/`;
}

/** The key of an owner's entry, and what its leases are tagged with. */
export function ownerKey({ host, pid, startedAt }: ProcessIdentity): string {
  return `${hostPrefix(host)}${segment(JSON.stringify([pid, startedAt]))}`;
}

/** The write that has somebody look after the owner. Goes into the commit that makes the lease. */
export function putOwner(record: LeaseRecord, now: number): Write[] {
  const { owner } = record;
  if (owner === undefined) return [];
  const value = encoder.encode(JSON.stringify(owner));
  return [{ op: "put", key: ownerKey(owner), value, dueAt: now + LOOK_AGAIN_MS }];
}
