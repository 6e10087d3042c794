import type { MountContext } from "../../framework/backend.ts";
import { generatePassword } from "../../framework/password.ts";

/**
 * Makes a password by the first policy that is named, else by the default rules.
 * @param policies - A role's, then its connection's; "" for none.
 * @throws ApiError 500 when there is no policy of that name.
 */
export async function newPassword(
  { random, passwords }: Pick<MountContext, "random" | "passwords">,
  ...policies: readonly string[]
): Promise<string> {
  const policy = policies.find((name) => name !== "");
  return policy === undefined ? generatePassword(random) : passwords.generate(policy);
}
