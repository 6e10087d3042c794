import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import type { Services } from "../services.ts";
import type { TokenRecord } from "../tokens/record.ts";
import { isLive } from "../tokens/record.ts";
import { findCaller, tokenOfAccessor } from "../tokens/store.ts";
import type { Acl } from "./acl.ts";

/** What a token's holder may do, by the token's own policies and its entity's: as the pipeline decides about requests. */
export type AclOf = (record: TokenRecord) => Promise<Acl>;

/** Paths of one question. */
const PATHS_MAX = 10_000;

const PATHS = {
  paths: field.commaStringList({ description: "The paths to ask about.", required: true }),
  path: field.commaStringList({ description: "The older name of paths.", deprecated: true }),
};

/** `sys/capabilities*` and `sys/internal/ui/resultant-acl`: what a token may do. @see reference: capabilities. */
export function capabilityPaths(services: Services, aclOf: AclOf): PathSpec[] {
  return [
    tokenPath(services, aclOf),
    accessorPath(services, aclOf),
    selfPath(aclOf),
    resultantAclPath(aclOf),
  ];
}

function tokenPath({ barrier, clock }: Services, aclOf: AclOf): PathSpec {
  return path({
    pattern: "capabilities",
    fields: {
      token: field.string({ description: "The token.", required: true, sensitive: true }),
      ...PATHS,
    },
    help: { synopsis: "Show what a token may do with some paths." },
    operations: {
      update: {
        summary: "Show the capabilities of a token on paths.",
        handler: async ({ values }) => {
          const paths = requirePaths(values);
          if (values.token === "") throw new ApiError(500, aggregate("no token found"));
          const caller = await findCaller(barrier, values.token, clock.now());
          if (caller === null) throw badRequest("invalid token");
          return answer(await aclOf(caller.record), paths);
        },
      },
    },
  });
}

function accessorPath({ barrier, clock }: Services, aclOf: AclOf): PathSpec {
  return path({
    pattern: "capabilities-accessor",
    fields: { accessor: field.string({ description: "The token's accessor.", required: true }), ...PATHS },
    help: { synopsis: "Show what the token of an accessor may do with some paths." },
    operations: {
      update: {
        summary: "Show the capabilities of an accessor's token on paths.",
        handler: async ({ values }) => {
          const paths = requirePaths(values);
          if (values.accessor === "") throw badRequest("missing accessor");
          const record = (await tokenOfAccessor(barrier, values.accessor))?.token?.record;
          if (record === undefined || !isLive(record, clock.now())) throw badRequest("invalid accessor");
          return answer(await aclOf(record), paths);
        },
      },
    },
  });
}

function selfPath(aclOf: AclOf): PathSpec {
  return path({
    pattern: "capabilities-self",
    fields: {
      token: field.string({ description: "Accepted; the caller's own token is meant.", sensitive: true }),
      ...PATHS,
    },
    help: { synopsis: "Show what the caller's token may do with some paths." },
    operations: {
      update: {
        summary: "Show the capabilities of the caller's token on paths.",
        handler: async (request) => {
          const paths = requirePaths(request.values);
          return answer(await aclOf(builtinRequest(request).caller.record), paths);
        },
      },
    },
  });
}

function resultantAclPath(aclOf: AclOf): PathSpec {
  return path({
    pattern: "internal/ui/resultant-acl",
    fields: {},
    help: { synopsis: "Show all rules that hold for the caller's token." },
    operations: {
      read: {
        summary: "Show the merged rules of the caller's policies.",
        handler: async (request) => ({
          data: (await aclOf(builtinRequest(request).caller.record)).describe(),
        }),
      },
    },
  });
}

/** @throws ApiError 400 for none, or too many. */
function requirePaths(values: { paths: readonly string[]; path: readonly string[] }): readonly string[] {
  const paths = values.paths.length > 0 ? values.paths : values.path;
  if (paths.length === 0) throw badRequest("paths must be supplied");
  if (paths.length > PATHS_MAX)
    throw badRequest(`no more than ${PATHS_MAX} paths can be asked about at once`);
  return paths;
}

/** The capabilities by path as asked; with a single path also under their own name. */
function answer(acl: Acl, paths: readonly string[]): Reply {
  const rows = paths.map((asked): [string, Json] => [asked, acl.capabilities(asked.replace(/^\/+/, ""))]);
  const [first] = rows;
  const extra: [string, Json][] =
    first !== undefined && rows.length === 1 ? [["capabilities", first[1]]] : [];
  // Defines own properties only, whatever the paths are.
  return { data: Object.fromEntries([...rows, ...extra]) };
}
