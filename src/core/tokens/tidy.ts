import type { StoredEntry } from "../../barrier/port.ts";
import { ABSENT } from "../../barrier/port.ts";
import { hasCode } from "../../base/errors.ts";
import { leasesUnder } from "../leases/store.ts";
import type { Services } from "../services.ts";
import { ORPHAN_BATCH_PREFIX } from "./caller.ts";
import { endLeasesOfOwners } from "./end-leases.ts";
import {
  ACCESSOR_PREFIX,
  CHILD_PREFIX,
  CUBBYHOLE_PREFIX,
  cubbyholePrefix,
  hashOfKey,
  PATH_PREFIX,
  tokenKey,
} from "./record.ts";
import { revokeTrees } from "./revoke.ts";
import { namesUnder, pagesUnder, wipe } from "./scan.ts";
import { readToken } from "./store.ts";

/** What a tidy found that should not have been there. */
export interface TidyResult {
  readonly indexEntries: number;
  readonly tokens: number;
  readonly owners: number;
}

/**
 * Looks for what no token stands behind: index entries, tokens whose parent is gone, leases and cubbyholes. Every change of
 * a token is one commit, so there is nothing to find unless the store was damaged or restored in parts.
 */
export async function tidyTokens(services: Services): Promise<TidyResult> {
  const tokens = await endStrayChildren(services);
  let indexEntries = 0;
  for (const prefix of [ACCESSOR_PREFIX, CHILD_PREFIX, PATH_PREFIX]) {
    indexEntries += await dropDangling(services, prefix);
  }
  return { indexEntries, tokens, owners: await endOwnerless(services) };
}

/** Children whose parent is gone should have gone with it. */
async function endStrayChildren(services: Services): Promise<number> {
  let tokens = 0;
  for await (const page of pagesUnder(services.barrier, CHILD_PREFIX)) {
    const stray: string[] = [];
    for (const { key } of page) {
      const parent = key.slice(CHILD_PREFIX.length, key.lastIndexOf("/"));
      const child = await readToken(services.barrier, hashOfKey(key));
      const isOwn = child?.record.parentHash === parent;
      if (isOwn && (await readToken(services.barrier, parent)) === null) stray.push(hashOfKey(key));
    }
    tokens += (await revokeTrees(services, stray)).tokens;
  }
  return tokens;
}

async function dropDangling(services: Services, prefix: string): Promise<number> {
  let dropped = 0;
  for await (const page of pagesUnder(services.barrier, prefix)) {
    for (const entry of page) {
      const hash =
        prefix === ACCESSOR_PREFIX ? Buffer.from(entry.value).toString("utf8") : hashOfKey(entry.key);
      if ((await readToken(services.barrier, hash)) === null && (await drop(services, entry, hash)))
        dropped += 1;
    }
  }
  return dropped;
}

/** False: a token with this id has come into being meanwhile. */
async function drop({ barrier }: Services, { key, version }: StoredEntry, hash: string): Promise<boolean> {
  try {
    await barrier.commit([
      { op: "check", key: tokenKey(hash), expect: ABSENT },
      { op: "delete", key, expect: version },
    ]);
    return true;
  } catch (error) {
    if (hasCode(error, "STORE_CONFLICT")) return false;
    throw error;
  }
}

/** Leases and cubbyholes in the name of a token that is gone. Leases that are being revoked already are let be. */
async function endOwnerless(services: Services): Promise<number> {
  const { barrier } = services;
  let owners = 0;
  for (const hash of await withoutToken(services, await ownersOfLeases(services))) {
    await endLeasesOfOwners(services, [hash]);
    owners += 1;
  }
  const cubbyholes = await namesUnder(barrier, CUBBYHOLE_PREFIX);
  for (const hash of await withoutToken(
    services,
    cubbyholes.map((name) => name.replace(/\/$/, "")),
  )) {
    await wipe(barrier, cubbyholePrefix(hash));
    owners += 1;
  }
  return owners;
}

/** Whose leases there are. Reads all of them, which nothing but this does. */
async function ownersOfLeases(services: Services): Promise<ReadonlySet<string>> {
  const owners = new Set<string>();
  for await (const page of leasesUnder(services, "")) {
    for (const { record } of page) owners.add(record.tokenHash);
  }
  return owners;
}

async function withoutToken({ barrier }: Services, hashes: Iterable<string>): Promise<string[]> {
  const without: string[] = [];
  for (const hash of hashes) {
    // A batch token is not stored; its leases end no later than it does.
    if (hash.startsWith(ORPHAN_BATCH_PREFIX)) continue;
    if ((await readToken(barrier, hash)) === null) without.push(hash);
  }
  return without;
}
