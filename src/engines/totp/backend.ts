import type { Backend, MountContext } from "../../framework/backend.ts";
import { codePath } from "./code-path.ts";
import { keyPaths } from "./key-paths.ts";

/** The TOTP engine: gives and checks the one-time codes of authenticator apps (RFC 6238). */
export function totpEngine(context: MountContext): Backend {
  return {
    help:
      "The totp engine gives the one-time codes of keys that others made, as an authenticator app does, and checks the codes " +
      "of keys that it made.",
    paths: [...keyPaths(context), codePath(context)],
    secrets: [],
  };
}
