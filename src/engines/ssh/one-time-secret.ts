import { hasCode } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import type { MountContext } from "../../framework/backend.ts";
import type { LeasePlan, SecretType } from "../../framework/secret.ts";

export const OTP_SECRET = "secret_otp_type";

/** What a one-time password is for. */
export interface OneTimePassword {
  readonly username: string;
  readonly ip: string;
  readonly roleName: string;
}

/** Only a keyed hash of a password is stored. */
function otpKey(context: MountContext, otp: string): string {
  return `otp/${context.hash("otp", otp)}`;
}

/** Storing an entry takes no longer. */
const CREATE_TIMEOUT_MS = 60_000;

/** One-time passwords, which live until they are used or their lease ends. */
export function oneTimeSecret({ storage }: MountContext): SecretType {
  return {
    name: OTP_SECRET,
    createTimeoutMs: CREATE_TIMEOUT_MS,
    revoke: async (secrets) => {
      await storage.commit(secrets.map(({ internal }) => ({ op: "delete", key: String(internal.key) })));
      return secrets.map(() => null);
    },
  };
}

/** Plans a password. @param port - Shown with it. */
export function planOneTime(
  context: MountContext,
  { username, ip, roleName }: OneTimePassword,
  port: number,
): LeasePlan {
  const otp = randomUuid(context.random);
  const key = otpKey(context, otp);
  return {
    secret: OTP_SECRET,
    internal: { v: 1, key },
    ttlSeconds: 0,
    maxTtlSeconds: 0,
    renewable: false,
    create: async () => {
      await context.storage.commit([{ op: "put", key, value: { v: 1, username, ip, roleName }, expect: 0 }]);
      return { ip, key: otp, key_type: "otp", port, username };
    },
  };
}

/** Uses a password up. @returns What it was for; null: there is none, or somebody else was faster. */
export async function takeOneTime(context: MountContext, otp: string): Promise<OneTimePassword | null> {
  const key = otpKey(context, otp);
  const entry = await context.storage.get(key);
  if (entry === null) return null;
  try {
    await context.storage.commit([{ op: "delete", key, expect: entry.version }]);
  } catch (error) {
    if (hasCode(error, "STORE_CONFLICT")) return null;
    throw error;
  }
  return entry.value as unknown as OneTimePassword;
}
