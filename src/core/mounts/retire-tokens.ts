import type { Services } from "../services.ts";
import { hashOfKey, pathIndexPrefix } from "../tokens/record.ts";
import { revokeTrees } from "../tokens/revoke.ts";
import { pagesUnder } from "../tokens/scan.ts";
import { readToken } from "../tokens/store.ts";
import type { MountEntry } from "./table.ts";

/**
 * Revokes, each with its tree, the tokens that an auth method granted at a path. Tokens that another mount granted at the
 * same path, later, stay.
 * @throws What the store throws; what is left is met again by the next call.
 */
export async function endTokensOf(services: Services, { uuid, path }: MountEntry): Promise<void> {
  for await (const page of pagesUnder(services.barrier, pathIndexPrefix(path))) {
    const tokens = await Promise.all(page.map(({ key }) => readToken(services.barrier, hashOfKey(key))));
    const granted = tokens.filter((token) => token?.record.login?.mountUuid === uuid);
    const hashes = granted.flatMap((token) => (token === null ? [] : [token.hash]));
    if (hashes.length > 0) await revokeTrees(services, hashes);
  }
}
