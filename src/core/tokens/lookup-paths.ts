import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import type { Caller } from "./caller.ts";
import type { TokenContext } from "./context.ts";
import { lookupData } from "./present.ts";
import { ACCESSOR_PREFIX, isLive, type StoredToken, type TokenRecord } from "./record.ts";
import { namesUnder } from "./scan.ts";
import { findCaller, readToken, tokenOfAccessor } from "./store.ts";

export const TOKEN = field.string({ description: "The token.", sensitive: true });
export const ACCESSOR = field.string({ description: "The token's accessor." });

/** `lookup`, `lookup-self`, `lookup-accessor` and `accessors`. @see reference: other token endpoints. */
export function lookupPaths(context: TokenContext): PathSpec[] {
  return [lookupPath(context), lookupSelfPath(context), lookupAccessorPath(context), accessorsPath(context)];
}

function badToken(): ApiError {
  return new ApiError(403, "bad token");
}

/**
 * The token that an accessor names.
 * @throws ApiError 400 for none or an unknown one, 403 for one that its token has left behind.
 */
export async function requireAccessor(
  { services: { barrier, clock } }: TokenContext,
  accessor: string,
): Promise<StoredToken> {
  if (accessor === "") throw badRequest("missing accessor");
  const found = await tokenOfAccessor(barrier, accessor);
  if (found === null) throw badRequest(aggregate("invalid accessor"));
  if (found.token === null || !isLive(found.token.record, clock.now())) throw badToken();
  return found.token;
}

async function show(context: TokenContext, id: string, record: TokenRecord): Promise<Reply> {
  const identityPolicies = await context.identity.policiesOf(record.entityId);
  const data: JsonObject = lookupData(id, record, context.services.clock.now(), identityPolicies);
  return { data };
}

async function showSelf(context: TokenContext, caller: Caller): Promise<Reply> {
  // What this very request has changed, the number of uses left, stands in the store.
  const present = caller.batch ? null : await readToken(context.services.barrier, caller.tokenHash);
  return show(context, caller.token, present?.record ?? caller.record);
}

function lookupPath(context: TokenContext): PathSpec {
  const { barrier, clock } = context.services;
  const lookup = {
    summary: "Show a token's policies, TTL and where it comes from.",
    handler: async (request: LookupRequest): Promise<Reply> => {
      const { caller, values } = builtinRequest(request);
      if (values.token === "" || values.token === caller.token) return showSelf(context, caller);
      const found = await findCaller(barrier, values.token, clock.now());
      if (found === null) throw badToken();
      return show(context, values.token, found.record);
    },
  };
  return path({
    pattern: "lookup",
    fields: { token: TOKEN },
    help: { synopsis: "Show a token; the caller's own when none is given." },
    operations: { read: lookup, update: lookup },
  });
}

type LookupRequest = Parameters<typeof builtinRequest<{ token: typeof TOKEN }>>[0];

function lookupSelfPath(context: TokenContext): PathSpec {
  const lookup = {
    summary: "Show the caller's own token.",
    handler: async (request: LookupRequest): Promise<Reply> =>
      showSelf(context, builtinRequest(request).caller),
  };
  return path({
    pattern: "lookup-self",
    fields: { token: TOKEN },
    help: { synopsis: "Show the caller's own token." },
    operations: { read: lookup, update: lookup },
  });
}

function lookupAccessorPath(context: TokenContext): PathSpec {
  return path({
    pattern: "lookup-accessor",
    fields: { accessor: ACCESSOR },
    help: { synopsis: "Show the token that an accessor belongs to, without the token itself." },
    operations: {
      update: {
        summary: "Show the token of an accessor.",
        handler: async ({ values }) => {
          const { record } = await requireAccessor(context, values.accessor);
          return show(context, "", record);
        },
      },
    },
  });
}

function accessorsPath({ services }: TokenContext): PathSpec {
  return path({
    pattern: "accessors",
    fields: {},
    sudo: true,
    help: { synopsis: "List the accessors of all tokens." },
    operations: {
      list: {
        summary: "List the accessors of all tokens.",
        handler: async () => ({ data: { keys: await namesUnder(services.barrier, ACCESSOR_PREFIX) } }),
      },
    },
  });
}
