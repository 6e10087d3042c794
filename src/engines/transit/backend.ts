import type { Backend, MountContext, PathSpec } from "../../framework/backend.ts";
import { backupPaths } from "./backup-paths.ts";
import { certificatePaths } from "./certificate-paths.ts";
import { configPath } from "./config-path.ts";
import { datakeyPath } from "./datakey-path.ts";
import { decryptPath } from "./decrypt-path.ts";
import { encryptPath } from "./encrypt-path.ts";
import { exportPaths } from "./export-paths.ts";
import { hmacPaths } from "./hmac-paths.ts";
import { importPaths } from "./import-paths.ts";
import { keyPaths } from "./key-paths.ts";
import { lifePaths } from "./life-paths.ts";
import { TransitMount } from "./mount.ts";
import { nameOfEntry } from "./record.ts";
import { rewrapPath } from "./rewrap-path.ts";
import { rotateDueKey } from "./rotation.ts";
import { settingsPaths } from "./settings.ts";
import { signPaths } from "./sign-paths.ts";
import { toolPaths } from "./tool-paths.ts";
import { verifyPaths } from "./verify-paths.ts";
import { wrappingKeyPath } from "./wrapping-key.ts";

/** The transit engine: encryption and signatures as a service, with keys that never leave it unless that is allowed. */
export function transitEngine(context: MountContext): Backend {
  const mount = new TransitMount(context);
  return {
    help:
      "The transit engine keeps keys, and encrypts, decrypts, signs and verifies with them what it is sent. It stores nothing " +
      "of that.",
    paths: pathsOf(mount),
    secrets: [],
    due: async (entry) => {
      const name = nameOfEntry(entry);
      if (name !== null) await rotateDueKey(mount, name);
    },
  };
}

function pathsOf(mount: TransitMount): readonly PathSpec[] {
  return [
    ...keyPaths(mount),
    configPath(mount),
    ...lifePaths(mount),
    wrappingKeyPath(mount),
    ...importPaths(mount),
    ...exportPaths(mount),
    ...backupPaths(mount),
    ...certificatePaths(mount),
    encryptPath(mount),
    decryptPath(mount),
    rewrapPath(mount),
    datakeyPath(mount),
    ...signPaths(mount),
    ...verifyPaths(mount),
    ...hmacPaths(mount),
    ...toolPaths(mount.context),
    ...settingsPaths(mount),
  ];
}
