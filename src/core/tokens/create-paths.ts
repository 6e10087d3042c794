import { type EngineRequest, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { type Fields, field } from "../../framework/field.ts";
import { builtinRequest, hasSudo } from "../builtin-request.ts";
import { TOKEN_MOUNT, TOKEN_MOUNT_TTL, type TokenContext } from "./context.ts";
import { CREATE_FIELDS, type CreateParams } from "./create-params.ts";
import { createByRequest } from "./create-request.ts";
import { authBlock } from "./present.ts";

const ROLE_NAME = field.string({ description: "The token role to go by." });

/** `create`, `create-orphan` and `create/<role>`. @see reference: tokens, create. */
export function createPaths(context: TokenContext): PathSpec[] {
  const create = async <F extends Fields>(
    request: EngineRequest<F> & { readonly values: CreateParams },
    terms: { readonly roleName: string | null; readonly orphan: boolean },
  ): Promise<Reply> => {
    const builtin = builtinRequest(request);
    const requestPath = TOKEN_MOUNT + request.path;
    const created = await createByRequest(context.services, context.identity, {
      ...terms,
      caller: builtin.caller,
      params: request.values,
      path: requestPath,
      sudo: hasSudo(builtin, requestPath),
      mountTtl: TOKEN_MOUNT_TTL,
    });
    const identityPolicies = await context.identity.policiesOf(created.record.entityId);
    return { auth: authBlock(created, identityPolicies), warnings: created.warnings };
  };
  return [
    path({
      pattern: "create",
      fields: CREATE_FIELDS,
      help: { synopsis: "Make a token, as a child of the caller's." },
      operations: {
        update: {
          summary: "Make a token.",
          handler: (request) => create(request, { roleName: null, orphan: false }),
        },
      },
    }),
    path({
      pattern: "create-orphan",
      fields: CREATE_FIELDS,
      help: { synopsis: "Make a token that has no parent, so that it does not end with the caller's." },
      operations: {
        update: {
          summary: "Make a token without a parent.",
          handler: (request) => create(request, { roleName: null, orphan: true }),
        },
      },
    }),
    path({
      pattern: "create/:role_name",
      fields: { ...CREATE_FIELDS, role_name: ROLE_NAME },
      help: { synopsis: "Make a token on the terms of a token role." },
      operations: {
        update: {
          summary: "Make a token by a role.",
          handler: (request) => create(request, { roleName: request.values.role_name, orphan: false }),
        },
      },
    }),
  ];
}
