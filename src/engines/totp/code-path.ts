import { timingSafeEqual } from "node:crypto";
import { badRequest } from "../../base/errors.ts";
import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { retryOnConflict } from "../../framework/on-conflict.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import { decodeBase32 } from "./base32.ts";
import { readKey, readUsed, type TotpKey, writeUsed } from "./key.ts";
import { codeFor, counterAt } from "./one-time-password.ts";

/** `code/:name`. @see reference: TOTP. */
export function codePath(context: MountContext): PathSpec {
  const { storage, clock } = context;
  const keyNamed = async (name: string): Promise<TotpKey> => {
    const key = await readKey(storage, name);
    if (key === null) throw badRequest(`unknown key: ${name}`);
    return key;
  };
  return path({
    pattern: "code/:name",
    captures: { name: NAME_WITH_AT },
    fields: {
      name: field.string({ description: "The key's name." }),
      code: field.string({ description: "The code to check.", required: true, sensitive: true }),
    },
    help: { synopsis: "Give a code of a key, or check one." },
    operations: {
      read: {
        summary: "Give the present code.",
        handler: async ({ values: { name } }) => {
          const key = await keyNamed(name);
          const code = codeFor(key, decodeBase32(key.secret), counterAt(key, clock.now()));
          return { data: { code } };
        },
      },
      update: {
        summary: "Check a code, which is good once.",
        handler: async ({ values: { name, code } }) => {
          if (code === "") throw badRequest("the code value is required");
          return { data: { valid: await check(context, name, await keyNamed(name), code) } };
        },
      },
    },
  });
}

/**
 * Whether a code is one of a period that counts. What was taken once is stored, so that of several processes that are given
 * the same code one takes it.
 * @throws ApiError 400 for a code that was taken already.
 */
async function check(
  { storage, clock }: MountContext,
  name: string,
  key: TotpKey,
  code: string,
): Promise<boolean> {
  const present = counterAt(key, clock.now());
  const fitting = countersOf(key, code, present);
  if (fitting.length === 0) return false;
  return retryOnConflict(async () => {
    const { counters, version } = await readUsed(storage, name);
    const free = fitting.find((counter) => !counters.includes(counter));
    if (free === undefined) throw badRequest("code already used; wait until the next time period");
    // Periods that no code can be of any more are forgotten.
    const kept = counters.filter((counter) => counter >= present - 2 * key.skew);
    await writeUsed(storage, name, [...kept, free], version);
    return true;
  });
}

/** The periods that count and whose code this is. */
function countersOf(key: TotpKey, code: string, present: number): readonly number[] {
  const secret = decodeBase32(key.secret);
  const given = Buffer.from(code.trim());
  const fitting: number[] = [];
  for (let counter = Math.max(present - key.skew, 0); counter <= present + key.skew; counter += 1) {
    const expected = Buffer.from(codeFor(key, secret, counter));
    if (expected.length === given.length && timingSafeEqual(expected, given)) fitting.push(counter);
  }
  return fitting;
}
