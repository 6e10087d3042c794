import type { Barrier, StoredEntry, Write } from "../../barrier/port.ts";
import type { Clock } from "../../base/clock.ts";
import { ApiError, hasCode, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import { InvalidCredentials, type LoginGuard } from "../../framework/auth.ts";
import type { LockoutConfig } from "../mounts/table.ts";

/*
 * Wrong credentials are counted for each name of each auth mount, in an entry that every process shares:
 * `identity/lockout/<accessor>/<hash of the name>`. It is due, and then deleted, when it has no meaning any more, so that
 * guessing at many names leaves nothing behind. Names that do not exist are counted and locked like others: who guesses
 * learns nothing from it.
 */

/** Where the counters lie. */
export const LOCKOUT_PREFIX = "identity/lockout/";

/** Vault's defaults: five wrong attempts, fifteen minutes. */
export const LOCKOUT_DEFAULTS: LockoutConfig = {
  threshold: 5,
  durationSeconds: 900,
  counterResetSeconds: 900,
  disabled: false,
};

const COMMIT_TRIES_MAX = 20;
const PAGE = 500;

interface Counter {
  readonly v: 1;
  readonly alias: string;
  readonly failures: number;
  /** Milliseconds since the epoch; null: not locked. */
  readonly lockedUntil: number | null;
  /** When counting begins anew, milliseconds since the epoch. */
  readonly resetAt: number;
}

interface Deps {
  readonly barrier: Barrier;
  readonly clock: Clock;
}

/** The guard of one auth mount's logins. @param settings - The mount's tuned settings; null: the defaults. */
export function loginGuard(deps: Deps, accessor: string, settings: () => LockoutConfig | null): LoginGuard {
  return {
    async attempt(alias, login) {
      const config = settings() ?? LOCKOUT_DEFAULTS;
      if (config.disabled || config.threshold <= 0) return login();
      const key = counterKey(deps.barrier, accessor, alias);
      await refuseLocked(deps, key);
      try {
        const result = await login();
        // Of many guesses at once, the one that is right must not slip through after the others have locked the name.
        await settleSuccess(deps, key);
        return result;
      } catch (error) {
        if (error instanceof InvalidCredentials) await countFailure(deps, key, alias, config);
        throw error;
      }
    },
  };
}

function counterKey(barrier: Barrier, accessor: string, alias: string): string {
  return `${LOCKOUT_PREFIX}${accessor}/${barrier.hash(`lockout/${accessor}`, alias)}`;
}

function isLocked(counter: Counter, now: number): boolean {
  return counter.lockedUntil !== null && counter.lockedUntil > now;
}

async function refuseLocked({ barrier, clock }: Deps, key: string): Promise<StoredEntry | null> {
  const entry = await barrier.get(key);
  if (entry !== null && isLocked(decode(entry), clock.now())) throw new ApiError(403, "permission denied");
  return entry;
}

async function settleSuccess(deps: Deps, key: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const entry = await refuseLocked(deps, key);
    if (entry === null) return;
    if (await tryCommit(deps.barrier, { op: "delete", key, expect: entry.version }, tries)) return;
  }
}

async function countFailure(deps: Deps, key: string, alias: string, config: LockoutConfig): Promise<void> {
  const { barrier, clock } = deps;
  for (let tries = 1; ; tries += 1) {
    const now = clock.now();
    const entry = await barrier.get(key);
    const before = entry === null ? null : decode(entry);
    // Attempts that were under way when the name was locked do not prolong the lock.
    if (before !== null && isLocked(before, now)) return;
    const isFresh = before === null || before.lockedUntil !== null || before.resetAt <= now;
    const failures = (isFresh ? 0 : before.failures) + 1;
    const lockedUntil = failures >= config.threshold ? now + config.durationSeconds * 1000 : null;
    const resetAt = now + config.counterResetSeconds * 1000;
    const counter: Counter = { v: 1, alias, failures, lockedUntil, resetAt };
    const value = new TextEncoder().encode(JSON.stringify(counter));
    const dueAt = lockedUntil ?? resetAt;
    if (await tryCommit(barrier, { op: "put", key, value, dueAt, expect: entry?.version ?? 0 }, tries))
      return;
  }
}

/** False: somebody else was faster, and there are tries left. */
async function tryCommit(barrier: Barrier, write: Write, tries: number): Promise<boolean> {
  try {
    await barrier.commit([write]);
    return true;
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT") || tries >= COMMIT_TRIES_MAX) throw error;
    return false;
  }
}

function decode(entry: StoredEntry): Counter {
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1) {
    throw new VsecError("BARRIER_DAMAGED", "a lockout counter is of a version that this vsec does not know");
  }
  return value as unknown as Counter;
}

/** Due work: forgets a counter whose time is over. */
export async function settleLockout({ barrier, clock }: Deps, key: string): Promise<void> {
  const entry = await barrier.get(key);
  if (entry === null || (entry.dueAt !== null && entry.dueAt > clock.now())) return;
  await tryCommit(barrier, { op: "delete", key, expect: entry.version }, 1);
}

/** Ends the lock of a name. Nothing happens when it is not locked. */
export async function unlockAlias({ barrier }: Deps, accessor: string, alias: string): Promise<void> {
  await barrier.commit([{ op: "delete", key: counterKey(barrier, accessor, alias) }]);
}

/** The locked names of each mount, by its accessor; sorted. */
export async function lockedAliases({
  barrier,
  clock,
}: Deps): Promise<ReadonlyMap<string, readonly string[]>> {
  const now = clock.now();
  const found = new Map<string, string[]>();
  let after: string | undefined;
  do {
    const page = await barrier.scan(LOCKOUT_PREFIX, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const entry of page.entries) {
      const counter = decode(entry);
      if (!isLocked(counter, now)) continue;
      const accessor = entry.key.slice(LOCKOUT_PREFIX.length).split("/")[0] ?? "";
      found.set(accessor, [...(found.get(accessor) ?? []), counter.alias].sort());
    }
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}
