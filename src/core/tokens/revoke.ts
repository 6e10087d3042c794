import type { Write } from "../../barrier/port.ts";
import { ABSENT } from "../../barrier/port.ts";
import { hasCode, VsecError } from "../../base/errors.ts";
import { failpoint } from "../../base/failpoint.ts";
import type { Services } from "../services.ts";
import { endLeasesOfOwners, type FailedLease } from "./end-leases.ts";
import { changeToken, type EndingToken, markEnding, orphan } from "./mark.ts";
import {
  childPrefix,
  cubbyholePrefix,
  deleteTokenWrites,
  hashOfKey,
  isLive,
  pathIndexPrefix,
  type StoredToken,
  tokenKey,
} from "./record.ts";
import { pagesUnder, wipe } from "./scan.ts";
import { readToken } from "./store.ts";

/*
 * A tree is revoked from its leaves: a token is forgotten only when it has no children, no leases in its name that still
 * run, and no cubbyhole. Every token that is met on the way down is marked first, which closes it: neither a child nor a
 * lease can be added any more. So the walk ends, and as each marked token is due, one that is cut short is taken up again
 * from wherever it was.
 */

/** How many children are looked at, marked and, where they are leaves, ended together. */
const CHILDREN = 200;
/** How often the same child may stand in the way; somebody else is at work on it then, and the token is due again. */
const STUCK_MAX = 50;

/** What a revocation did. */
export interface TokenRevocation {
  /** How many tokens are gone. */
  readonly tokens: number;
  /** The leases whose secrets could not be revoked yet; they go on being retried. */
  readonly failed: readonly FailedLease[];
}

interface Walk {
  readonly services: Services;
  tokens: number;
  readonly failed: FailedLease[];
}

/**
 * Revokes a token, all its descendants, and every lease that any of them holds. An unknown one is a success.
 * @throws What the store throws; the tree is due work then.
 * @see reference: tree revocation.
 */
export async function revokeTokenTree(services: Services, hash: string): Promise<TokenRevocation> {
  return revokeTrees(services, [hash]);
}

/** Like {@link revokeTokenTree}, for many at once: the leases of all leaves go together. */
export async function revokeTrees(services: Services, hashes: readonly string[]): Promise<TokenRevocation> {
  return descend(services, await markEnding(services, hashes, null));
}

/** Revokes a token and its leases; its children live on, as orphans. */
export async function revokeTokenOnly(services: Services, hash: string): Promise<TokenRevocation> {
  return descend(services, await markEnding(services, [hash], null, true));
}

/**
 * Revokes every token whose path begins with this prefix of whole segments (`auth/userpass`), each with its tree. All of
 * them are marked before the first is ended.
 * @returns How many tokens are gone.
 */
export async function revokeTokensUnder(services: Services, prefix: string): Promise<number> {
  const wanted = prefix.replace(/^\/+|\/+$/g, "");
  if (wanted === "") throw new VsecError("USAGE", "a prefix of token paths must not be empty");
  for await (const hashes of hashesUnder(services, wanted)) await markEnding(services, hashes, null);
  let tokens = 0;
  for await (const hashes of hashesUnder(services, wanted)) {
    tokens += (await revokeTrees(services, hashes)).tokens;
  }
  return tokens;
}

async function* hashesUnder(services: Services, prefix: string): AsyncGenerator<readonly string[]> {
  for await (const page of pagesUnder(services.barrier, pathIndexPrefix(prefix))) {
    const tokens = await Promise.all(page.map(({ key }) => readToken(services.barrier, hashOfKey(key))));
    const below = tokens.filter(
      (token): token is StoredToken => token !== null && `${token.record.path}/`.startsWith(`${prefix}/`),
    );
    if (below.length > 0) yield below.map(({ hash }) => hash);
  }
}

/**
 * Due work: ends tokens that expired, and takes up revocations that were cut short. Tokens that were renewed meanwhile stay.
 * @throws What the store throws; the tokens are due again then.
 */
export async function settleDueTokens(
  services: Services,
  hashes: readonly string[],
): Promise<TokenRevocation> {
  const now = services.clock.now();
  const ended: string[] = [];
  for (const hash of hashes) {
    // An entry that is due without a reason would be claimed again and again.
    const token = await changeToken(services.barrier, hash, ({ record }) =>
      isLive(record, now) ? { record, dueAt: record.expiresAt } : null,
    );
    if (token !== null && !isLive(token.record, now)) ended.push(hash);
  }
  return revokeTrees(services, ended);
}

/** Like {@link settleDueTokens}, for one. */
export async function settleDueToken(services: Services, hash: string): Promise<void> {
  await settleDueTokens(services, [hash]);
}

async function descend(services: Services, roots: readonly EndingToken[]): Promise<TokenRevocation> {
  failpoint("token:marked");
  const walk: Walk = { services, tokens: 0, failed: [] };
  const known = roots.filter((root) => root.token !== null);
  const stack = (await endLeaves(walk, known)).map((node) => ({ node, first: "", stuck: 0 }));
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const children = await firstChildren(services, top.node.hash);
    const [first] = children;
    if (first === undefined) {
      stack.pop();
      await end(walk, [top.node]);
      continue;
    }
    top.stuck = first === top.first ? top.stuck + 1 : 0;
    top.first = first;
    if (top.stuck > STUCK_MAX) {
      throw new VsecError("STORE_CONFLICT", "a token's children keep changing while it is being revoked");
    }
    if (top.node.token?.record.keepsChildren === true) {
      await orphan(services, top.node.hash, children);
    } else {
      const marked = await markEnding(services, children, top.node.hash);
      const inner = await endLeaves(walk, marked);
      stack.push(...inner.map((node) => ({ node, first: "", stuck: 0 })));
    }
  }
  return { tokens: walk.tokens, failed: walk.failed };
}

async function firstChildren({ barrier }: Services, hash: string): Promise<string[]> {
  const page = await barrier.scan(childPrefix(hash), { limit: CHILDREN });
  return page.entries.map(({ key }) => hashOfKey(key));
}

/** Ends those of the tokens that have no children. @returns The others. */
async function endLeaves(walk: Walk, nodes: readonly EndingToken[]): Promise<readonly EndingToken[]> {
  const leaves: EndingToken[] = [];
  const inner: EndingToken[] = [];
  for (const node of nodes) {
    const page = await walk.services.barrier.scan(childPrefix(node.hash), { limit: 1 });
    (page.entries.length === 0 ? leaves : inner).push(node);
  }
  for (let start = 0; start < leaves.length; start += CHILDREN) {
    await end(walk, leaves.slice(start, start + CHILDREN));
  }
  return inner;
}

/** Ends tokens that have no children: leases, cubbyhole, indexes, the token itself. */
async function end(walk: Walk, nodes: readonly EndingToken[]): Promise<void> {
  if (nodes.length === 0) return;
  const { services } = walk;
  walk.failed.push(
    ...(await endLeasesOfOwners(
      services,
      nodes.map(({ hash }) => hash),
    )),
  );
  failpoint("token:leases-ended");
  for (const { hash } of nodes) await wipe(services.barrier, cubbyholePrefix(hash));
  failpoint("token:emptied");
  try {
    await services.barrier.commit(nodes.flatMap(forget));
    walk.tokens += nodes.filter(({ token }) => token !== null).length;
  } catch (error) {
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    for (const node of nodes) await forgetAlone(walk, node);
  }
  failpoint("token:forgotten");
}

function forget({ hash, token, parentHash }: EndingToken): Write[] {
  // An index may name a token that is gone, or one that has another parent by now.
  const link: Write[] = parentHash === null ? [] : [{ op: "delete", key: childPrefix(parentHash) + hash }];
  if (token === null) return [{ op: "check", key: tokenKey(hash), expect: ABSENT }, ...link];
  const own = deleteTokenWrites(token);
  return [...own, ...link.filter(({ key }) => !own.some((write) => write.key === key))];
}

/** Somebody else changed the token since it was marked: another revoker, who forgot or postponed it. */
async function forgetAlone(walk: Walk, { hash, token, parentHash }: EndingToken): Promise<void> {
  const { services } = walk;
  const present = await readToken(services.barrier, hash);
  const isSame = present === null || present.record.accessor === token?.record.accessor;
  if (!isSame || present?.record.state === "live") return;
  try {
    await services.barrier.commit(forget({ hash, token: present, parentHash }));
    if (present !== null) walk.tokens += 1;
  } catch (error) {
    // It is met again: as a child that is still listed, or as due work.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}
