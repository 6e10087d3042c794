import { ApiError } from "../../../base/errors.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { PAGE_FIELDS, pageOf } from "../../../framework/list-page.ts";
import { findIssuer } from "../issuers/resolve.ts";
import { readPolicies } from "../usage.ts";
import type { Policy } from "../x509/extensions.ts";
import { keyKind } from "../x509/keys.ts";
import { checkRole } from "./check.ts";
import { ROLE_FIELDS } from "./fields.ts";
import { deleteRole, listRoles, type Role, readRole, writeRole } from "./role.ts";

/** `roles` and `roles/:name`. @see reference: PKI roles. */
export function rolePaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "roles",
      fields: PAGE_FIELDS,
      help: { synopsis: "List the roles." },
      operations: {
        list: {
          summary: "List the roles.",
          handler: async ({ values }) => ({ data: { keys: pageOf(await listRoles(storage), values) } }),
        },
      },
    }),
    path({
      pattern: "roles/:name",
      fields: ROLE_FIELDS,
      help: {
        synopsis: "Define which names, keys and usages certificates may have.",
        description:
          "A write replaces the whole role: what is not given gets its default. A patch changes what is given.",
      },
      operations: {
        read: {
          summary: "Show a role.",
          handler: async ({ values }) => {
            const role = await readRole(storage, values.name);
            return role === null ? undefined : { data: describe(role) };
          },
        },
        update: {
          summary: "Create a role, or replace it.",
          handler: ({ values: { name, ...role } }) => save(context, name, role),
        },
        patch: {
          summary: "Change the given parameters of a role.",
          handler: async ({ values: { name }, given: { name: _name, ...changes } }) => {
            const role = await readRole(storage, name);
            if (role === null) throw new ApiError(404, [`Unable to fetch role entry to patch: ${name}`]);
            return save(context, name, patched(role, changes));
          },
        },
        delete: {
          summary: "Delete a role. Certificates that it gave stay as they are.",
          handler: async ({ values }) => {
            await deleteRole(storage, values.name);
            return undefined;
          },
        },
      },
    }),
  ];
}

/** The role with what was changed. Sizes that are not given follow the type of key. */
function patched(role: Role, changes: Partial<Role>): Role {
  const isOther = changes.key_type !== undefined && changes.key_type !== role.key_type;
  return { ...role, ...(isOther ? { key_bits: 0, signature_bits: 0 } : {}), ...changes };
}

/** The sizes that a type of key has where none is given; they are kept and shown, as in Vault. */
function sizesOf({ key_type: type, key_bits: bits, signature_bits: hashBits }: Role) {
  if (type === "rsa") return { key_bits: keyKind(type, bits).bits, signature_bits: hashBits || 256 };
  return type === "ec" ? { key_bits: keyKind(type, bits).bits } : {};
}

async function save({ storage, ttl }: MountContext, name: string, given: Role): Promise<Reply> {
  const role: Role = {
    ...given,
    ...sizesOf(given),
    issuer_ref: given.issuer_ref === "" ? "default" : given.issuer_ref,
    generate_lease: given.generate_lease && !given.no_store,
    policy_identifiers: readPolicies(given.policy_identifiers).map(describePolicy),
  };
  checkRole(role);
  const warnings: string[] = [];
  if (given.generate_lease && given.no_store) {
    warnings.push(
      "mutually exclusive values no_store=true and generate_lease=true were both specified; no_store=true takes priority",
    );
  }
  if (role.max_ttl > ttl.maxSeconds) {
    warnings.push(
      `requested max_ttl of ${role.max_ttl} seconds is greater than the mount's ${ttl.maxSeconds}; what is issued is capped at that`,
    );
  }
  if ((await findIssuer(storage, role.issuer_ref)) === null && role.issuer_ref !== "default") {
    warnings.push(
      `Issuing Certificate was set to ${role.issuer_ref}, but no issuing certificate currently exists with that name`,
    );
  }
  await writeRole(storage, name, role);
  return { data: describe(role), warnings };
}

/** A policy as it is kept and shown: its object identifier alone, or with what else is said of it. */
function describePolicy({ oid, notice = "", cps = "" }: Policy): Json {
  return notice === "" && cps === "" ? oid : { oid, notice, cps };
}

function describe(role: Role): JsonObject {
  return { ...role, allow_token_displayname: false } as unknown as JsonObject;
}
