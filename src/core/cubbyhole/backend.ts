import type { Write } from "../../barrier/port.ts";
import { badRequest, hasCode } from "../../base/errors.ts";
import {
  type Backend,
  type EngineRequest,
  type PathSpec,
  path,
  type Reply,
} from "../../framework/backend.ts";
import { type Fields, field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import type { Services } from "../services.ts";
import { aliveGuard } from "../tokens/authenticate.ts";
import type { Caller } from "../tokens/caller.ts";
import { cubbyholePrefix } from "../tokens/record.ts";
import { namesUnder } from "../tokens/scan.ts";
import { cubbyholeKey, putCubbyhole, readCubbyhole } from "./store.ts";

/** Where a wrapping token's answer lies. */
const WRAPPED_RESPONSE = "response";
const RACE_ATTEMPTS_MAX = 20;

/** `cubbyhole/`: a store for each token, which nobody else sees and which ends with the token. @see reference: cubbyhole. */
export function cubbyholeBackend(services: Services): Backend {
  return {
    help: "A private store for each token. Nobody else can read it, and it is destroyed with the token.",
    paths: [entryPath(services), rootPath(services)],
    secrets: [],
  };
}

/** @throws ApiError 400 for batch tokens, which are not stored and so keep nothing. */
function ownerOf<F extends Fields>(request: EngineRequest<F>): Caller {
  const { caller } = builtinRequest(request);
  if (!caller.batch) return caller;
  throw badRequest("cubbyhole operations are only supported by 'service' type tokens");
}

function entryPath(services: Services): PathSpec {
  return path({
    pattern: "*path",
    takesAnyField: true,
    fields: { path: field.string({ description: "Where in the token's own store." }) },
    help: { synopsis: "Keep, read, list or delete something in the token's own store." },
    exists: async (request) =>
      (await readCubbyhole(services, ownerOf(request).tokenHash, request.values.path)) !== null,
    operations: {
      read: {
        summary: "Read what the token keeps here.",
        handler: async (request) => read(services, ownerOf(request), request.values.path),
      },
      update: {
        summary: "Keep the given fields here.",
        handler: async (request) => {
          const owner = ownerOf(request);
          if (Object.keys(request.raw).length === 0) throw badRequest("missing data fields");
          const put = putCubbyhole(owner.tokenHash, request.values.path, request.raw);
          await commitFor(services, owner, put);
          return undefined;
        },
      },
      delete: {
        summary: "Delete what the token keeps here.",
        handler: async (request) => {
          const key = cubbyholeKey(ownerOf(request).tokenHash, request.values.path);
          await services.barrier.commit([{ op: "delete", key }]);
          return undefined;
        },
      },
      list: {
        summary: "List what the token keeps below this path.",
        handler: async (request) => list(services, ownerOf(request), `${request.values.path}/`),
      },
    },
  });
}

/** The store's root: it can be listed, and nothing can be kept at it. */
function rootPath(services: Services): PathSpec {
  const refuse = async (): Promise<never> => {
    throw badRequest("missing path");
  };
  return path({
    pattern: "",
    takesAnyField: true,
    fields: {},
    help: { synopsis: "List what the token keeps." },
    operations: {
      list: {
        summary: "List what the token keeps.",
        handler: async (request) => list(services, ownerOf(request), ""),
      },
      read: { summary: "Refused: a path is needed.", handler: refuse },
      update: { summary: "Refused: a path is needed.", handler: refuse },
      delete: { summary: "Refused: a path is needed.", handler: refuse },
    },
  });
}

async function read(services: Services, owner: Caller, at: string): Promise<Reply | undefined> {
  const data = await readCubbyhole(services, owner.tokenHash, at);
  if (data === null) return undefined;
  if (at !== WRAPPED_RESPONSE) return { data };
  const warning =
    'reading a wrapped answer from "cubbyhole/response" is deprecated: use sys/wrapping/unwrap, which also checks the token';
  return { data, warnings: [warning] };
}

async function list(services: Services, owner: Caller, below: string): Promise<Reply> {
  const prefix = below === "" ? cubbyholePrefix(owner.tokenHash) : cubbyholeKey(owner.tokenHash, below);
  return { data: { keys: await namesUnder(services.barrier, prefix) } };
}

/** Writes into a token's store as long as the token lives: a revocation at the same time must leave nothing behind. */
async function commitFor(services: Services, owner: Caller, write: Write): Promise<void> {
  // With its last use the token is on its way out already, and whatever it writes goes the same way.
  if (owner.record.creationNumUses > 0 && owner.record.numUses === 1) return;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await services.barrier.commit([write, ...(await aliveGuard(services, owner))]);
      return;
    } catch (error) {
      if (!hasCode(error, "STORE_CONFLICT") || attempt === RACE_ATTEMPTS_MAX) throw error;
    }
  }
}
