import { createHash } from "node:crypto";
import { VsecError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { MountContext } from "../../framework/backend.ts";
import { type LeasedSecret, NotTried, type RevokeOutcome, type SecretType } from "../../framework/secret.ts";
import { Slots } from "../../framework/slots.ts";
import type { Clients } from "./clients.ts";
import { readLeaseConfig } from "./config.ts";
import type { Equipment } from "./delete-user.ts";
import { awsFailure } from "./errors.ts";
import { dropProcessCredential } from "./process-cache.ts";

export const USER_SECRET = "iam_user";

/**
 * The longest that a creation takes. Together with the core's margin it makes five minutes: by then AWS shows a user that
 * was made everywhere, so that one who cannot be found when a pending lease is looked at is really not there.
 */
export const CREATE_TIMEOUT_MS = 270_000;

/** For this long AWS may not yet show a user that exists. @see reference: AWS IAM user life cycle. */
const YOUNG_MS = 300_000;

/** Clocks may differ by this much when the age of a user tells whose it is. */
const SKEW_MS = 60_000;

/** Users that are deleted at once. Each makes one request after the other, so that the pace's own limit is reached by them. */
const USERS_AT_ONCE_MAX = 12;

/** Leases are revoked in this many parts, each of which is forgotten as soon as its users are gone. */
const PARTS = 16;

/** A batch begins no more users after this: the leases are its own only for a while. */
const BATCH_MS_MAX = 100_000;

/** What a lease keeps of its user. Version 1. */
export interface UserInternal {
  readonly v: 1;
  readonly username: string;
  readonly role: string;
  readonly isNameUnique: boolean;
  readonly equipment: Equipment;
  /** Where credential-process keeps these keys; null: nowhere. */
  readonly processKey: string | null;
}

function internalOf(secret: LeasedSecret): UserInternal {
  return secret.internal as unknown as UserInternal;
}

const NEVER_CREATED_MAX = 1000;

/** Leases whose user AWS refused to make; known for as long as this process lives, and only to spare a wait. */
export class NeverCreatedLeases {
  readonly #ids = new Set<string>();

  add(leaseId: string): void {
    const [oldest] = this.#ids;
    if (this.#ids.size >= NEVER_CREATED_MAX && oldest !== undefined) this.#ids.delete(oldest);
    this.#ids.add(leaseId);
  }

  has(leaseId: string): boolean {
    return this.#ids.has(leaseId);
  }
}

/** IAM users that live as long as their lease. */
export function userSecret(context: MountContext, clients: Clients, never: NeverCreatedLeases): SecretType {
  const slots = new Slots(USERS_AT_ONCE_MAX);
  return {
    name: USER_SECRET,
    createTimeoutMs: CREATE_TIMEOUT_MS,
    batchKey: (secret) => partOf(internalOf(secret).username),
    renew: async () => {
      const config = await readLeaseConfig(context.storage);
      return { ttlSeconds: config?.leaseSeconds ?? 0, maxTtlSeconds: config?.leaseMaxSeconds ?? 0 };
    },
    revoke: (secrets) => revokeAll(context, clients, never, slots, secrets),
  };
}

function partOf(username: string): string {
  return String((createHash("sha256").update(username).digest()[0] ?? 0) % PARTS);
}

function revokeAll(
  context: MountContext,
  clients: Clients,
  never: NeverCreatedLeases,
  slots: Slots,
  secrets: readonly LeasedSecret[],
): Promise<readonly RevokeOutcome[]> {
  const endBy = context.clock.now() + BATCH_MS_MAX;
  return Promise.all(
    secrets.map((secret) =>
      slots.use(async (): Promise<RevokeOutcome> => {
        if (never.has(secret.leaseId)) return null;
        const { username } = internalOf(secret);
        if (context.clock.now() > endBy) return new NotTried(`IAM user "${username}"`);
        try {
          return await revokeOne(context, clients, secret);
        } catch (error) {
          return awsFailure(`IAM user "${username}"`, error);
        }
      }),
    ),
  );
}

async function revokeOne(
  context: MountContext,
  clients: Clients,
  secret: LeasedSecret,
): Promise<RevokeOutcome> {
  const { username, isNameUnique, equipment, processKey } = internalOf(secret);
  if (processKey !== null) await dropProcessCredential(context.storage, processKey, secret.leaseId);
  const { iam } = await clients.get();
  const { deleteUser } = await import("./delete-user.ts");
  const createdAfter = isNameUnique ? null : secret.issuedAt - SKEW_MS;
  const wasThere = await deleteUser(iam, { username, equipment, createdAfter });
  failpoint("aws:user-deleted");
  if (wasThere || context.clock.now() - secret.issuedAt >= YOUNG_MS) return null;
  const text =
    `IAM user "${username}" cannot be found; its lease is younger than five minutes, and AWS may not show it yet. ` +
    "It is looked for again";
  return new VsecError("BACKEND", text);
}
