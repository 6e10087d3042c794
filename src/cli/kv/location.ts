import { isJsonObject } from "../../base/json.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { dataPath } from "../paths.ts";

/** The flag that every command about secrets has. */
export const MOUNT_FLAG = {
  mount: {
    kind: "string",
    text: "The path of the mount. With it the argument is the secret's path below the mount; without it, it begins with the mount.",
  },
} as const;

/** The part of a versioned mount that a path is for. */
export type KvPart = "data" | "metadata" | "delete" | "undelete" | "destroy";

/** Where a secret is. */
export interface KvLocation {
  readonly isVersioned: boolean;
  /** The path of a request; on a versioned mount with the part after the mount. */
  path(part: KvPart): string;
}

/**
 * Finds the mount that a secret's path belongs to, and its version. Asked before everything else.
 * @param key - The argument; empty for the mount itself.
 * @param mount - What `-mount` says.
 * @throws CommandFailure (exit 2) with the error block alone when the caller may not use it, or it is not there.
 */
export async function locate(
  context: CommandContext,
  key: string,
  mount: string | undefined,
): Promise<KvLocation> {
  const below = dataPath(key);
  const given = mount === undefined || mount === "" ? undefined : dataPath(mount);
  const whole = given === undefined ? below : dataPath(`${given}/${below}`);
  const response = await context.send(
    { method: "GET", path: `sys/internal/ui/mounts/${given ?? below}` },
    { prefix: "", nothingIsAnswer: true, beforehand: true },
  );
  const { path, options } = dataOf(response);
  const isFound = response.status === 200 && typeof path === "string";
  const mountPath = isFound ? dataPath(path) : "";
  const isVersioned = isFound && isJsonObject(options) && String(options.version) === "2";
  return {
    isVersioned,
    path: (part) => (isVersioned ? withPart(whole, mountPath, part) : whole),
  };
}

function withPart(path: string, mountPath: string, part: KvPart): string {
  return dataPath(`${mountPath}/${part}/${path.slice(mountPath.length + 1)}`);
}
