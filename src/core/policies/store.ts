import type { Barrier } from "../../barrier/port.ts";
import { badRequest, VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import { BUILTIN_TEXTS, IMMUTABLE } from "./builtin.ts";

/** A policy's text as it stands. */
export interface StoredPolicy {
  readonly name: string;
  readonly text: string;
  /** Changes with every write; 0: built in, not stored. */
  readonly version: number;
}

/** Where policies lie. */
export const POLICY_PREFIX = "policy/";

export const POLICY_NAME_CHARS_MAX = 256;
/** Bytes of a policy's text. */
export const POLICY_BYTES_MAX = 1024 * 1024;

const PAGE = 1000;

/** A name as policies are known by: lower-case, without white space around it. */
export function policyName(text: string): string {
  return text.trim().toLowerCase();
}

/** A name is one segment of the key, whatever it holds. */
function keyOf(name: string): string {
  return POLICY_PREFIX + encodeURIComponent(name);
}

/** Null: no such policy; tokens may have its name all the same. `root` has no text and is never found here. */
export async function readPolicy(barrier: Barrier, name: string): Promise<StoredPolicy | null> {
  if (!isName(name)) return null;
  const entry = IMMUTABLE.includes(name) ? null : await barrier.get(keyOf(name));
  if (entry === null) {
    const text = BUILTIN_TEXTS.get(name);
    return text === undefined ? null : { name, text, version: 0 };
  }
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1 || typeof value.policy !== "string") {
    throw new VsecError("BARRIER_DAMAGED", "a policy is of a version that this vsec does not know");
  }
  return { name, text: value.policy, version: entry.version };
}

/** Whether a policy of this name can be stored: not empty, not too long, text that can be a key. */
function isName(name: string): boolean {
  return name !== "" && name.length <= POLICY_NAME_CHARS_MAX && name.isWellFormed();
}

/**
 * Writes a policy whose text was found good.
 * @throws ApiError 400 for a name that cannot be one, or a policy that cannot be written.
 */
export async function writePolicy(barrier: Barrier, name: string, text: string): Promise<void> {
  if (!isName(name)) throw badRequest(`a policy's name must have 1 to ${POLICY_NAME_CHARS_MAX} characters`);
  if (IMMUTABLE.includes(name)) throw badRequest(`cannot update "${name}" policy`);
  const value = new TextEncoder().encode(JSON.stringify({ v: 1, policy: text }));
  await barrier.commit([{ op: "put", key: keyOf(name), value }]);
}

/** Deletes a policy, if it is there. @throws ApiError 400 for one that has to stay. */
export async function deletePolicy(barrier: Barrier, name: string): Promise<void> {
  if (name === "default") throw badRequest("cannot delete default policy");
  if (IMMUTABLE.includes(name)) throw badRequest(`cannot delete "${name}" policy`);
  if (isName(name)) await barrier.commit([{ op: "delete", key: keyOf(name) }]);
}

/** The names of all policies, sorted; `root`, which has no text, comes last. */
export async function policyNames(barrier: Barrier): Promise<readonly string[]> {
  const names = new Set(["default"]);
  let after: string | undefined;
  do {
    const page = await barrier.list(POLICY_PREFIX, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const name of page.names) names.add(decodeURIComponent(name));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return [...[...names].sort(), "root"];
}
