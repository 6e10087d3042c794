import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type OperationSpec, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { type PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { ID_BYTES_MAX, type Role, readRole } from "./role.ts";
import { ROLE_NAME } from "./role-write.ts";
import {
  dropSecretId,
  findByAccessor,
  findSecretId,
  listAccessors,
  type SecretId,
  type StoredSecretId,
} from "./secret-id.ts";

const BY_SECRET = {
  role_name: ROLE_NAME,
  secret_id: field.string({ description: "The secret id.", sensitive: true }),
};

const BY_ACCESSOR = {
  role_name: ROLE_NAME,
  secret_id_accessor: field.string({ description: "The secret id's accessor." }),
};

/** Looking secret ids up and destroying them, by themselves or by their accessors. */
export function secretIdUsePaths(context: AuthContext): PathSpec[] {
  return [
    lookupPath(context),
    destroyPath(context),
    accessorLookupPath(context),
    accessorDestroyPath(context),
  ];
}

/** The LIST of `role/:role_name/secret-id`. */
export function listPathOf(
  context: AuthContext,
): OperationSpec<{ role_name: typeof ROLE_NAME } & typeof PAGE_FIELDS> {
  return {
    summary: "List the accessors of the role's secret ids.",
    handler: async ({ values }) => {
      const stored = await readRole(context, values.role_name);
      if (stored === null) throw badRequest(`role ${JSON.stringify(values.role_name)} does not exist`);
      return { data: { keys: pageOf(await listAccessors(context, stored.role), values) } };
    },
  };
}

function lookupPath(context: AuthContext): PathSpec {
  return path({
    pattern: "role/:role_name/secret-id/lookup",
    fields: BY_SECRET,
    help: { synopsis: "Show a secret id's properties." },
    operations: {
      update: {
        summary: "Look a secret id up.",
        handler: async ({ values }) => {
          const { stored } = await bySecret(context, values.role_name, values.secret_id);
          return stored === null ? undefined : { data: describe(stored.secretId) };
        },
      },
    },
  });
}

function destroyPath(context: AuthContext): PathSpec {
  const destroy: OperationSpec<typeof BY_SECRET> = {
    summary: "Destroy a secret id. Tokens it was used for stay.",
    handler: async ({ values }) => {
      const { role, stored } = await bySecret(context, values.role_name, values.secret_id);
      if (stored !== null) await dropSecretId(context, role, stored);
      return undefined;
    },
  };
  return path({
    pattern: "role/:role_name/secret-id/destroy",
    fields: BY_SECRET,
    help: { synopsis: "Destroy a secret id." },
    operations: { update: destroy, delete: destroy },
  });
}

function accessorLookupPath(context: AuthContext): PathSpec {
  return path({
    pattern: "role/:role_name/secret-id-accessor/lookup",
    fields: BY_ACCESSOR,
    help: { synopsis: "Show a secret id's properties, by its accessor." },
    operations: {
      update: {
        summary: "Look a secret id up by its accessor.",
        handler: async ({ values }) => {
          const { stored } = await byAccessor(context, values.role_name, values.secret_id_accessor, 404);
          return { data: describe(stored.secretId) };
        },
      },
    },
  });
}

function accessorDestroyPath(context: AuthContext): PathSpec {
  const destroy: OperationSpec<typeof BY_ACCESSOR> = {
    summary: "Destroy a secret id by its accessor.",
    handler: async ({ values }) => {
      const { role, stored } = await byAccessor(context, values.role_name, values.secret_id_accessor, 500);
      await dropSecretId(context, role, stored);
      return undefined;
    },
  };
  return path({
    pattern: "role/:role_name/secret-id-accessor/destroy",
    fields: BY_ACCESSOR,
    help: { synopsis: "Destroy a secret id by its accessor." },
    operations: { update: destroy, delete: destroy },
  });
}

async function requireRole(context: AuthContext, name: string): Promise<Role> {
  const stored = await readRole(context, name);
  if (stored === null) throw new ApiError(500, aggregate(`role ${JSON.stringify(name)} does not exist`));
  return stored.role;
}

async function bySecret(
  context: AuthContext,
  name: string,
  text: string,
): Promise<{ readonly role: Role; readonly stored: StoredSecretId | null }> {
  if (text === "") throw badRequest("missing secret_id");
  const role = await requireRole(context, name);
  const isPossible = Buffer.byteLength(text) <= ID_BYTES_MAX;
  return { role, stored: isPossible ? await findSecretId(context, role, text) : null };
}

/** @param status - Of the refusal when there is no such accessor: 404, or 500 with the text wrapped. */
async function byAccessor(
  context: AuthContext,
  name: string,
  accessor: string,
  status: 404 | 500,
): Promise<{ readonly role: Role; readonly stored: StoredSecretId }> {
  if (accessor === "") throw badRequest("missing secret_id_accessor");
  const role = await requireRole(context, name);
  const stored = await findByAccessor(context, role, accessor);
  if (stored !== null) return { role, stored };
  const text = `failed to find accessor entry for secret_id_accessor: ${JSON.stringify(accessor.slice(0, 64))}`;
  throw new ApiError(status, status === 500 ? aggregate(text) : text);
}

/** Vault's word for a time that is not set. */
const NEVER = "0001-01-01T00:00:00Z";

function describe(secretId: SecretId): JsonObject {
  const { expiresAt } = secretId;
  return {
    cidr_list: secretId.cidrList,
    creation_time: new Date(secretId.createdAt).toISOString(),
    expiration_time: expiresAt === null ? NEVER : new Date(expiresAt).toISOString(),
    last_updated_time: new Date(secretId.updatedAt).toISOString(),
    metadata: secretId.metadata,
    secret_id_accessor: secretId.accessor,
    secret_id_num_uses: secretId.numUses,
    secret_id_ttl: secretId.ttlSeconds,
    token_bound_cidrs: secretId.tokenBoundCidrs,
  };
}
