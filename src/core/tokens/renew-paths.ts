import { badRequest } from "../../base/errors.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { builtinRequest } from "../builtin-request.ts";
import { isBatchToken } from "./batch.ts";
import { TOKEN_MOUNT_TTL, type TokenContext } from "./context.ts";
import { ACCESSOR, requireAccessor, TOKEN } from "./lookup-paths.ts";
import { authBlock } from "./present.ts";
import { renewToken } from "./renew.ts";
import { tokenHash } from "./store.ts";

const INCREMENT = field.duration({ description: "The wanted TTL from now; 0 for the token's own." });

/** `renew`, `renew-self` and `renew-accessor`. @see reference: other token endpoints. */
export function renewPaths(context: TokenContext): PathSpec[] {
  const { services, identity } = context;
  const renew = async (hash: string, id: string, increment: number): Promise<Reply> => {
    const { record, warnings } = await renewToken(services, hash, increment, TOKEN_MOUNT_TTL);
    return { auth: authBlock({ id, record }, await identity.policiesOf(record.entityId)), warnings };
  };
  const renewById = async (id: string, increment: number): Promise<Reply> => {
    if (id === "") throw badRequest("missing token ID");
    if (isBatchToken(id)) throw badRequest("batch tokens cannot be renewed");
    return renew(tokenHash(services.barrier, id), id, increment);
  };
  return [
    path({
      pattern: "renew",
      fields: { token: TOKEN, increment: INCREMENT },
      help: { synopsis: "Renew a token." },
      operations: {
        update: {
          summary: "Renew a token.",
          handler: ({ values }) => renewById(values.token, values.increment),
        },
      },
    }),
    path({
      pattern: "renew-self",
      fields: { token: TOKEN, increment: INCREMENT },
      help: { synopsis: "Renew the caller's own token." },
      operations: {
        update: {
          summary: "Renew the caller's own token.",
          handler: (request) => renewById(builtinRequest(request).caller.token, request.values.increment),
        },
      },
    }),
    path({
      pattern: "renew-accessor",
      fields: { accessor: ACCESSOR, increment: INCREMENT },
      help: { synopsis: "Renew the token that an accessor belongs to." },
      operations: {
        update: {
          summary: "Renew the token of an accessor.",
          handler: async ({ values }) => {
            const { hash } = await requireAccessor(context, values.accessor);
            return renew(hash, "", values.increment);
          },
        },
      },
    }),
  ];
}
