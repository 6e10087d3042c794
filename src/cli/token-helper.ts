import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { VsecError } from "../base/errors.ts";
import { type Env, readVariable } from "../contract/environment.ts";
import { writePrivateFile } from "../platform/files.ts";
import { remoteFailure } from "./failure.ts";

/** The file that remembers the token between commands. Never `~/.vault-token`: that one belongs to a Vault server. */
export function tokenFilePath(env: Env): string {
  return readVariable(env, "VSEC_TOKEN_PATH") ?? join(readVariable(env, "HOME") ?? homedir(), ".vsec-token");
}

/**
 * The token to use: from the environment, else from the file. Undefined: there is none, and the request goes without.
 * @throws CommandFailure (exit 2) when it cannot be a token; VsecError FILE when the file cannot be read.
 */
export async function resolveToken(env: Env): Promise<string | undefined> {
  const token = readVariable(env, "VSEC_TOKEN") ?? readTokenFile(tokenFilePath(env));
  if (token === undefined || token === "") return undefined;
  if (!/^[\x20-\x7e]+$/.test(token)) {
    throw remoteFailure("configured vsec token contains non-printable characters and cannot be used");
  }
  return token;
}

function readTokenFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new VsecError("FILE", `could not read the token file ${path} (${code}); check its permissions`, {
      cause: error,
    });
  }
}

/**
 * Remembers a token, readable by its owner only. The file is replaced in one step, so it is never half written.
 * @returns The file's path.
 * @throws VsecError FILE.
 */
export function storeToken(env: Env, token: string): string {
  const path = tokenFilePath(env);
  writePrivateFile(path, Buffer.from(token), { replace: true });
  return path;
}
