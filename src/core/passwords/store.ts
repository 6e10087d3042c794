import type { Barrier } from "../../barrier/port.ts";
import { VsecError } from "../../base/errors.ts";
import { isJsonObject, parseJson } from "../../base/json.ts";
import type { Random } from "../../base/random.ts";
import { generatePassword } from "../../framework/password.ts";
import { parsePasswordPolicy } from "./parse.ts";

const PREFIX = "password-policy/";
const PAGE = 1000;

function keyOf(name: string): string {
  return PREFIX + encodeURIComponent(name);
}

/** A policy's text. Null: there is none of that name. */
export async function readPasswordPolicy(barrier: Barrier, name: string): Promise<string | null> {
  const entry = await barrier.get(keyOf(name));
  if (entry === null) return null;
  const value = parseJson(Buffer.from(entry.value).toString("utf8"));
  if (!isJsonObject(value) || value.v !== 1 || typeof value.policy !== "string") {
    throw new VsecError("BARRIER_DAMAGED", "a password policy is of a version that this vsec does not know");
  }
  return value.policy;
}

/** Stores a policy whose text was found good. */
export async function writePasswordPolicy(barrier: Barrier, name: string, text: string): Promise<void> {
  const value = new TextEncoder().encode(JSON.stringify({ v: 1, policy: text }));
  await barrier.commit([{ op: "put", key: keyOf(name), value }]);
}

export async function deletePasswordPolicy(barrier: Barrier, name: string): Promise<void> {
  await barrier.commit([{ op: "delete", key: keyOf(name) }]);
}

/** The names of all policies, sorted. */
export async function passwordPolicyNames(barrier: Barrier): Promise<readonly string[]> {
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await barrier.list(PREFIX, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    names.push(...page.names.map(decodeURIComponent));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return names.sort();
}

/**
 * Makes a password for an engine.
 * @throws BACKEND with Vault's text when there is no policy of that name; the API answers it with 500.
 */
export async function passwordByPolicy(
  { barrier, random }: { readonly barrier: Barrier; readonly random: Random },
  name: string,
): Promise<string> {
  const text = await readPasswordPolicy(barrier, name);
  if (text === null) {
    throw new VsecError("BACKEND", `failed to generate password: no password policy found: "${name}"`);
  }
  return generatePassword(random, parsePasswordPolicy(text));
}
