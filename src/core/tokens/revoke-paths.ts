import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { builtinRequest, hasSudo } from "../builtin-request.ts";
import { isBatchToken } from "./batch.ts";
import { TOKEN_MOUNT, type TokenContext } from "./context.ts";
import { ACCESSOR, TOKEN } from "./lookup-paths.ts";
import { isLive } from "./record.ts";
import { revokeTokenOnly, revokeTokenTree, type TokenRevocation } from "./revoke.ts";
import { readToken, tokenHash, tokenOfAccessor } from "./store.ts";

/** `revoke`, `revoke-self`, `revoke-accessor` and `revoke-orphan`. @see reference: other token endpoints. */
export function revokePaths(context: TokenContext): PathSpec[] {
  return [
    revokePath(context),
    revokeSelfPath(context),
    revokeAccessorPath(context),
    revokeOrphanPath(context),
  ];
}

/** The token is gone whatever became of its leases; those that could not be revoked yet are named. */
function answer({ failed }: TokenRevocation): Reply | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const text =
    `${failed.length} of the leases could not be revoked yet and go on being retried; ` +
    `the first, ${first.record.id}: ${first.error}`;
  return { warnings: [text] };
}

/** The hash of a token that can be revoked at all. @throws ApiError 400. */
function revocableHash({ services }: TokenContext, token: string): string {
  if (token === "") throw badRequest("missing token ID");
  if (isBatchToken(token)) throw badRequest("batch tokens cannot be revoked");
  return tokenHash(services.barrier, token);
}

function revokePath(context: TokenContext): PathSpec {
  return path({
    pattern: "revoke",
    fields: { token: TOKEN },
    help: { synopsis: "Revoke a token, its children, and all leases that any of them holds." },
    operations: {
      update: {
        summary: "Revoke a token with its children and leases.",
        handler: async ({ values }) =>
          answer(await revokeTokenTree(context.services, revocableHash(context, values.token))),
      },
    },
  });
}

function revokeSelfPath(context: TokenContext): PathSpec {
  return path({
    pattern: "revoke-self",
    fields: {},
    help: { synopsis: "Revoke the caller's own token, its children, and all leases that any of them holds." },
    operations: {
      update: {
        summary: "Revoke the caller's own token.",
        handler: async (request) => {
          const { token } = builtinRequest(request).caller;
          return answer(await revokeTokenTree(context.services, revocableHash(context, token)));
        },
      },
    },
  });
}

function revokeAccessorPath({ services }: TokenContext): PathSpec {
  return path({
    pattern: "revoke-accessor",
    fields: { accessor: ACCESSOR },
    help: { synopsis: "Revoke the token that an accessor belongs to, with its children and leases." },
    operations: {
      update: {
        summary: "Revoke the token of an accessor.",
        handler: async ({ values }) => {
          if (values.accessor === "") throw badRequest("missing accessor");
          const found = await tokenOfAccessor(services.barrier, values.accessor);
          if (found === null) return { warnings: ["No token found with this accessor"] };
          return answer(await revokeTokenTree(services, found.hash));
        },
      },
    },
  });
}

function revokeOrphanPath(context: TokenContext): PathSpec {
  const { services } = context;
  return path({
    pattern: "revoke-orphan",
    fields: { token: TOKEN },
    sudo: true,
    help: { synopsis: "Revoke a token and its leases; its children live on, as orphans." },
    operations: {
      update: {
        summary: "Revoke a token and keep its children.",
        handler: async (request) => {
          const hash = revocableHash(context, request.values.token);
          if (!hasSudo(builtinRequest(request), `${TOKEN_MOUNT}revoke-orphan`)) {
            throw badRequest("root or sudo privileges required to revoke and orphan");
          }
          const found = await readToken(services.barrier, hash);
          if (found === null || !isLive(found.record, services.clock.now())) {
            throw badRequest("token to revoke not found");
          }
          return answer(await revokeTokenOnly(services, hash));
        },
      },
    },
  });
}
