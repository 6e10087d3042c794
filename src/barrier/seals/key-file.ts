import { dirname, join, resolve } from "node:path";
import { VsecError } from "../../base/errors.ts";
import type { SealDependencies } from "./dependencies.ts";
import { checkType, textParam } from "./params.ts";
import type { Seal } from "./port.ts";
import {
  checkParam,
  formatRootKeyLine,
  parseRootKeyLine,
  ROOT_KEY_LINE_BYTES_MAX,
  requireMatch,
  rootKeyIn,
} from "./root-key-text.ts";

/**
 * The root key in a file of mode 0600: `keys/<store id>.key` in the configuration, or where VSEC_SEAL_KEY_FILE says at the start.
 * The store knows the place; a key that was brought elsewhere since (a restored backup, a service's credential) is found by the
 * same variable, which one may also leave set for another store's sake.
 */
export function keyFileSeal({ env, files, directories }: SealDependencies): Seal {
  const read = (path: string) => files.read(path, { bytesMax: ROOT_KEY_LINE_BYTES_MAX });
  /** Whether the variable names a file with this store's line. @throws VsecError for a file that cannot be trusted or read. */
  const isNamed = (path: string | undefined, storeId: string): path is string => {
    const content = path === undefined ? null : read(path);
    return content !== null && parseRootKeyLine(content)?.storeId === storeId;
  };
  return {
    type: "key-file",

    async protect(rootKey, storeId) {
      const path = resolve(env.sealKeyFile ?? join(directories.config, "keys", `${storeId}.key`));
      // A directory that the user chose is the user's to guard.
      if (env.sealKeyFile === undefined) files.makeDirectory(dirname(path));
      files.write(path, formatRootKeyLine(rootKey, storeId), { replace: false });
      return { type: "key-file", storeId, params: { path, ...checkParam(rootKey, storeId) } };
    },

    async open(config) {
      checkType(config, "key-file");
      const own = textParam(config, "path");
      const path = isNamed(env.sealKeyFile, config.storeId) ? env.sealKeyFile : own;
      const content = read(path);
      if (content === null) {
        const text = `the store's key file ${path} is missing: restore it, name it in VSEC_SEAL_KEY_FILE, or run as the user who made the store`;
        throw new VsecError("SEAL_UNAVAILABLE", text);
      }
      const line = parseRootKeyLine(content);
      const ours = line?.storeId === config.storeId ? line.rootKey : undefined;
      return requireMatch(config, ours, `the key file ${path}`);
    },

    async prove(config, key) {
      checkType(config, "key-file");
      return requireMatch(config, rootKeyIn(key.reveal()), "what was given");
    },

    async forget(config) {
      checkType(config, "key-file");
      const path = textParam(config, "path");
      const content = read(path);
      // Another store's key may have been put in its place.
      if (content !== null && parseRootKeyLine(content)?.storeId === config.storeId) files.remove(path);
    },
  };
}
