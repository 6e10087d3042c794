import { argon2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { ApiError, VsecError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";

/*
 * Passwords are kept as Argon2id hashes (RFC 9106) with their salt and costs, so that the costs can be raised later and
 * old hashes still verify. (Vault uses bcrypt, which cuts a password off after 72 bytes.)
 */

/** A password's hash, as it is stored. Bytes are base64. */
export interface PasswordHash {
  readonly algorithm: "argon2id";
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: string;
  readonly hash: string;
}

/** OWASP's recommendation for Argon2id on a server that logs many people in: 19 MiB, two passes, one lane. */
const COSTS = { memoryKib: 19_456, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

export const PASSWORD_BYTES_MAX = 1024;

/** Hashes at work at the same time, and those that wait for one: more are refused, for each takes memory and a core. */
const AT_WORK_MAX = 4;
const WAITING_MAX = 256;

let atWork = 0;
const waiting: (() => void)[] = [];

/** @throws ApiError 503 when too many are waiting. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (atWork >= AT_WORK_MAX) {
    if (waiting.length >= WAITING_MAX) throw new ApiError(503, "too many logins at once; try again");
    // The one that ends hands its place on, so the count stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    atWork += 1;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) atWork -= 1;
    else next();
  }
}

interface Costs {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

function derive(password: string, salt: Buffer, costs: Costs): Promise<Buffer> {
  return inTurn(() =>
    promisify(argon2)("argon2id", {
      message: Buffer.from(password, "utf8"),
      nonce: salt,
      parallelism: costs.lanes,
      tagLength: HASH_BYTES,
      memory: costs.memoryKib,
      passes: costs.passes,
    }),
  );
}

/** @throws ApiError 503 when too many are at it. */
export async function hashPassword(random: Random, password: string): Promise<PasswordHash> {
  const salt = Buffer.from(random.bytes(SALT_BYTES));
  const hash = await derive(password, salt, COSTS);
  return { algorithm: "argon2id", ...COSTS, salt: salt.toString("base64"), hash: hash.toString("base64") };
}

/** Of no password at all: an unknown user's, so that finding out costs as much as a wrong password. */
const NOBODY: PasswordHash = {
  algorithm: "argon2id",
  ...COSTS,
  salt: Buffer.alloc(SALT_BYTES).toString("base64"),
  hash: Buffer.alloc(HASH_BYTES).toString("base64"),
};

/**
 * Whether it is the password that was hashed. Null, for an unknown user, takes as long and is never right.
 * @throws ApiError 503 when too many are at it; STORE_TOO_NEW for a hash of another kind.
 */
export async function isPassword(password: string, stored: PasswordHash | null): Promise<boolean> {
  const expected = stored ?? NOBODY;
  if (expected.algorithm !== "argon2id") {
    throw new VsecError("STORE_TOO_NEW", "a password is hashed in a way that this vsec does not know");
  }
  const found = await derive(password, Buffer.from(expected.salt, "base64"), expected);
  const hash = Buffer.from(expected.hash, "base64");
  return hash.length === found.length && timingSafeEqual(hash, found) && stored !== null;
}
