import { isJsonObject, type JsonObject } from "../../base/json.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { textsOf } from "../output/key-ceremonies.ts";
import { pathCandidates } from "./path-candidates.ts";

/** Finds what a word may become. Answers come from listing only: completing never issues, reads or changes anything. */
export type CandidateFinder = (ask: Asker, typed: string) => Promise<readonly string[]>;

/** The questions that completing asks. What may not be asked, or is not there, has no answer: an empty one. */
export interface Asker {
  get(path: string): Promise<JsonObject>;
  /** The names directly below a path; folders end in `/`. */
  list(path: string): Promise<readonly string[]>;
}

/** What the arguments of a command name, by the command's words. */
const FINDERS: Readonly<Record<string, CandidateFinder>> = {
  ...sharing(pathCandidates, ["read", "write", "list", "delete", "patch", "path-help", "token capabilities"]),
  ...sharing(leaseCandidates, ["lease lookup", "lease renew", "lease revoke"]),
  ...sharing(mountsOf("secret"), ["secrets disable", "secrets tune", "secrets move"]),
  ...sharing(mountsOf("auth"), ["auth disable", "auth tune", "auth move", "auth help"]),
  ...sharing((ask) => ask.list("sys/policies/acl"), ["policy read", "policy write", "policy delete"]),
  ...sharing(secretCandidates, ["get", "put", "patch", "list", "delete", "undelete", "destroy"].map(kvWords)),
};

/** The commands whose arguments are completed with names of the store. */
export const COMPLETED_FROM_STORE: readonly string[] = Object.keys(FINDERS);

/**
 * What the word that is being typed may become, sorted.
 * @param words - The command's: `lease revoke`.
 */
export async function candidatesFor(
  context: CommandContext,
  words: string,
  typed: string,
): Promise<readonly string[]> {
  const find = FINDERS[words];
  if (find === undefined) return [];
  const found = await find(askerOf(context), typed);
  return [...new Set(found.filter((candidate) => candidate.startsWith(typed)))].sort();
}

function askerOf(context: CommandContext): Asker {
  const send = async (method: "GET" | "LIST", path: string): Promise<JsonObject> => {
    try {
      return dataOf(await context.send({ method, path }, { prefix: "" }));
    } catch {
      return {}; // A person at a prompt is completing: there is nowhere to show a failure.
    }
  };
  return {
    get: (path) => send("GET", path),
    list: async (path) => textsOf((await send("LIST", path)).keys),
  };
}

function sharing(find: CandidateFinder, commands: readonly string[]): Record<string, CandidateFinder> {
  return Object.fromEntries(commands.map((words) => [words, find]));
}

function kvWords(verb: string): string {
  return `kv ${verb}`;
}

/** Ids one segment at a time: a role may have very many. */
async function leaseCandidates({ list }: Asker, typed: string): Promise<readonly string[]> {
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  const names = await list(`sys/leases/lookup/${folder}`.replace(/\/$/, ""));
  return names.map((name) => folder + name);
}

function mountsOf(kind: "secret" | "auth"): CandidateFinder {
  return async ({ get }) => {
    const mounts = (await get("sys/internal/ui/mounts"))[kind];
    return isJsonObject(mounts) ? Object.keys(mounts) : [];
  };
}

/** Paths of the key/value engine as its commands take them: without the `metadata/` that its API has in between. */
async function secretCandidates({ get, list }: Asker, typed: string): Promise<readonly string[]> {
  const { secret } = await get("sys/internal/ui/mounts");
  const mounts = Object.entries(isJsonObject(secret) ? secret : {}).filter(
    ([, mount]) => isJsonObject(mount) && mount.type === "kv",
  );
  const found = mounts.find(([path]) => typed.startsWith(path));
  if (found === undefined) return mounts.map(([path]) => path);
  const [mountPath, mount] = found;
  const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
  const options = isJsonObject(mount) && isJsonObject(mount.options) ? mount.options : {};
  const between = options.version === "2" ? "metadata/" : "";
  const names = await list(`${mountPath}${between}${folder.slice(mountPath.length)}`.replace(/\/$/, ""));
  return names.map((name) => folder + name);
}
