import { hasCode } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { NONCE_PREFIX } from "./nonces.ts";
import {
  AUTHORIZATION_PREFIX,
  type AuthorizationRecord,
  deleteRecord,
  ORDER_PREFIX,
  readRecord,
} from "./records.ts";
import { attemptValidation } from "./validation.ts";

/** Whether a due entry is ACME's. */
export function isAcmeKey(key: string): boolean {
  return [NONCE_PREFIX, ORDER_PREFIX, AUTHORIZATION_PREFIX].some((prefix) => key.startsWith(prefix));
}

/** Does what an entry of ACME is due for: an authorization's validation, or the end of what is over. */
export async function settleAcme(context: MountContext, key: string): Promise<void> {
  const { storage } = context;
  if (key.startsWith(AUTHORIZATION_PREFIX)) {
    const found = await readRecord<AuthorizationRecord>(storage, key);
    const challenge = found?.record.challenges.find(({ status }) => status === "processing");
    const isOpen =
      found !== null && found.record.status === "pending" && context.clock.now() < found.record.expiresAt;
    if (isOpen && challenge !== undefined) return attemptValidation(context, key, found, challenge);
  }
  const entry = await storage.get(key);
  if (entry === null) return;
  try {
    await storage.commit([deleteRecord(key, entry.version)]);
  } catch (error) {
    // Whoever changed it meanwhile has also said when it is due.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}
