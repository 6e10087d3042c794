import { hasCode } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { thumbprintKey } from "./accounts.ts";
import { settleAcme } from "./due.ts";
import {
  ACCOUNT_PREFIX,
  type AccountRecord,
  AUTHORIZATION_PREFIX,
  deleteRecord,
  ORDER_PREFIX,
  putRecord,
  readRecord,
  type Stored,
} from "./records.ts";

/** What a tidy did with accounts and orders. */
export interface AcmeTidied {
  readonly accounts: number;
  readonly accountsRevoked: number;
  readonly accountsDeleted: number;
  readonly ordersDeleted: number;
}

export const NOTHING_TIDIED: AcmeTidied = {
  accounts: 0,
  accountsRevoked: 0,
  accountsDeleted: 0,
  ordersDeleted: 0,
};

/**
 * Clears accounts away: one without orders is revoked once it is old enough, and deleted as long after its end again. Orders
 * go by themselves when they are over; those of an account that goes, go with it.
 * @param ids - Names below {@link ACCOUNT_PREFIX}.
 * @param bufferMs - How long an account stays without an order, and how long after its end.
 */
export async function tidyAccounts(
  context: MountContext,
  ids: readonly string[],
  bufferMs: number,
): Promise<AcmeTidied> {
  const tidied = { ...NOTHING_TIDIED };
  for (const id of ids) {
    const found = await readRecord<AccountRecord>(context.storage, ACCOUNT_PREFIX + id);
    if (found === null) continue;
    tidied.accounts += 1;
    try {
      await tidyAccount(context, found, bufferMs, tidied);
    } catch (error) {
      // It was used just now, and so is not to be cleared away.
      if (!hasCode(error, "STORE_CONFLICT")) throw error;
    }
  }
  return tidied;
}

type Tally = { -readonly [K in keyof AcmeTidied]: number };

async function tidyAccount(
  context: MountContext,
  { record, version }: Stored<AccountRecord>,
  bufferMs: number,
  tidied: Tally,
): Promise<void> {
  const { storage, clock } = context;
  const now = clock.now();
  const ordersLeft = await tidyOrders(context, record.id, tidied);
  if (record.status === "valid") {
    if (ordersLeft > 0 || now <= record.createdAt + bufferMs) return;
    const revoked: AccountRecord = { ...record, status: "revoked", endedAt: now };
    await storage.commit([putRecord(ACCOUNT_PREFIX + record.id, revoked, version)]);
    tidied.accountsRevoked += 1;
    return;
  }
  if (now <= (record.endedAt ?? now) + bufferMs) return;
  const orders = await storage.list(`${ORDER_PREFIX}${record.id}/`);
  const authorizations = await storage.list(`${AUTHORIZATION_PREFIX}${record.id}/`);
  await storage.commit([
    deleteRecord(ACCOUNT_PREFIX + record.id, version),
    { op: "delete", key: thumbprintKey(context, record.directory, record.thumbprint) },
    ...orders.map((id) => ({ op: "delete", key: `${ORDER_PREFIX}${record.id}/${id}` }) as const),
    ...authorizations.map(
      (id) => ({ op: "delete", key: `${AUTHORIZATION_PREFIX}${record.id}/${id}` }) as const,
    ),
  ]);
  tidied.accountsDeleted += 1;
  tidied.ordersDeleted += orders.length;
}

/** Ends what is over and was not cleared away by itself, where no daemon runs. @returns How many orders are left. */
async function tidyOrders(context: MountContext, account: string, tidied: Tally): Promise<number> {
  const { storage, clock } = context;
  let left = 0;
  for (const id of await storage.list(`${ORDER_PREFIX}${account}/`)) {
    const key = `${ORDER_PREFIX}${account}/${id}`;
    const found = await readRecord<{ expiresAt: number; certificate: { notAfter: number } | null }>(
      storage,
      key,
    );
    if (found === null) continue;
    if (clock.now() < (found.record.certificate?.notAfter ?? found.record.expiresAt)) {
      left += 1;
      continue;
    }
    await settleAcme(context, key);
    tidied.ordersDeleted += 1;
  }
  return left;
}
