import { ApiError, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import type { AssumedRole } from "./config.ts";
import type { AwsMount } from "./plan.ts";
import { isRoleArn } from "./role-check.ts";
import { NAME_WITH_AT } from "./role-paths.ts";
import {
  listStatic,
  readStatic,
  type StaticRole,
  type StoredStaticRole,
  writeStatic,
} from "./static-role.ts";
import { sessionName } from "./username.ts";

const FIELDS = {
  name: field.string({ description: "The role's name." }),
  username: field.string({ description: "The existing IAM user.", required: true }),
  rotation_period: field.duration({ description: "How often its key is replaced.", required: true }),
  assume_role_arn: field.string({
    description: "A role that is assumed to reach the user, where that is in another account.",
  }),
  assume_role_session_name: field.string({ description: "The name of the session as that role." }),
  external_id: field.string({ description: "The external id that that role asks for." }),
};

const PERIOD_SECONDS_MIN = 60;

/** `static-roles`, `static-roles/:name` and `static-creds/:name`. @see reference: AWS static roles. */
export function staticPaths(mount: AwsMount): PathSpec[] {
  const { storage } = mount.context;
  return [
    path({
      pattern: "static-roles",
      fields: {},
      help: { synopsis: "List the users whose keys are replaced at intervals." },
      operations: {
        list: {
          summary: "List the static roles.",
          handler: async () => ({ data: { keys: await listStatic(storage) } }),
        },
      },
    }),
    rolePath(mount),
    credsPath(mount),
  ];
}

function rolePath(mount: AwsMount): PathSpec {
  const { storage } = mount.context;
  return path({
    pattern: "static-roles/:name",
    captures: { name: NAME_WITH_AT },
    fields: FIELDS,
    help: {
      synopsis: "Replace the access key of an existing IAM user at intervals.",
      description:
        "The key that was in use before stays until the rotation after, so that whoever holds it has time. Where a user has two " +
        "keys, the older one that is not ours is deleted to make room.",
    },
    operations: {
      read: {
        summary: "Show a static role.",
        handler: async ({ values }) => {
          const stored = await readStatic(storage, values.name);
          return stored === null ? undefined : { data: describe(values.name, stored.role) };
        },
      },
      update: {
        summary: "Create or change a static role.",
        handler: async ({ values, given }) => {
          const role = await write(mount, values.name, given).catch((error: unknown) => {
            if (!hasCode(error, "STORE_CONFLICT")) throw error;
            throw new ApiError(
              409,
              `static role "${values.name}" was changed by somebody else meanwhile; try again`,
            );
          });
          return { data: describe(values.name, role) };
        },
      },
      delete: {
        summary: "Delete a static role, and the key that was made for it.",
        handler: async ({ values }) => {
          const { removeStatic } = await import("./static-rotation.ts");
          await removeStatic(mount, values.name);
          return undefined;
        },
      },
    },
  });
}

async function write(mount: AwsMount, name: string, given: Given<typeof FIELDS>): Promise<StaticRole> {
  const stored = await readStatic(mount.context.storage, name);
  const username = given.username ?? stored?.role.username ?? "";
  const rotationPeriodSeconds = given.rotation_period ?? stored?.role.rotationPeriodSeconds;
  if (username === "") throw badRequest('missing "username" parameter');
  if (rotationPeriodSeconds === undefined) throw badRequest('missing "rotation_period" parameter');
  if (rotationPeriodSeconds < PERIOD_SECONDS_MIN) {
    throw badRequest("role rotation period out of range: must be greater than 60.00 seconds");
  }
  const terms = { username, rotationPeriodSeconds, via: merge(stored?.role.via ?? null, given) };
  if (stored !== null) return change(mount, name, stored, terms);
  const { addStatic } = await import("./static-rotation.ts");
  return addStatic(mount, name, terms);
}

/** The role of another account after a write. An empty assume_role_arn takes it away. */
function merge(old: AssumedRole | null, given: Given<typeof FIELDS>): AssumedRole | null {
  const roleArn = given.assume_role_arn ?? old?.roleArn ?? "";
  if (roleArn === "") {
    const idle = given.assume_role_session_name ? "assume_role_session_name" : "external_id";
    if (given.assume_role_session_name || given.external_id) {
      throw badRequest(`${idle} has no meaning without assume_role_arn`);
    }
    return null;
  }
  if (!isRoleArn(roleArn)) throw badRequest(`assume_role_arn is not the ARN of an IAM role: ${roleArn}`);
  return {
    roleArn,
    sessionName: sessionName(given.assume_role_session_name ?? old?.sessionName ?? ""),
    externalId: given.external_id ?? old?.externalId ?? "",
  };
}

/** Changes a role that there is. Its key stays; another period counts from the last rotation on. */
async function change(
  mount: AwsMount,
  name: string,
  { role: old, version }: StoredStaticRole,
  terms: Pick<StaticRole, "username" | "rotationPeriodSeconds" | "via">,
): Promise<StaticRole> {
  if (terms.username !== old.username) {
    throw badRequest(
      `static role "${name}" is for the user "${old.username}"; delete it to take another one`,
    );
  }
  const hasRotated = old.accessKey !== "" && old.intent === null;
  const shiftMs = hasRotated ? (terms.rotationPeriodSeconds - old.rotationPeriodSeconds) * 1000 : 0;
  const role: StaticRole = { ...old, ...terms, nextRotationAt: old.nextRotationAt + shiftMs };
  if (JSON.stringify(role.via) !== JSON.stringify(old.via)) {
    const { checkUser } = await import("./static-rotation.ts");
    await checkUser(mount, role);
  }
  await writeStatic(mount.context.storage, name, role, version);
  return role;
}

function describe(name: string, role: StaticRole): JsonObject {
  const { via } = role;
  return {
    ...(via === null
      ? {}
      : {
          assume_role_arn: via.roleArn,
          assume_role_session_name: via.sessionName,
          external_id: via.externalId,
        }),
    id: role.userId,
    name,
    rotation_period: role.rotationPeriodSeconds,
    username: role.username,
  };
}

function credsPath(mount: AwsMount): PathSpec {
  return path({
    pattern: "static-creds/:name",
    captures: { name: NAME_WITH_AT },
    fields: { name: FIELDS.name },
    help: { synopsis: "Show the present access key of a static role." },
    operations: {
      read: {
        summary: "Show the present key.",
        handler: async ({ values }) => {
          const role = await presentRole(mount, values.name);
          if (role === null) return undefined;
          const { accessKey, secretKey, nextRotationAt } = role;
          if (accessKey === "") throw badRequest(`static role "${values.name}" has no key yet; try again`);
          const expiration = new Date(nextRotationAt).toISOString();
          return {
            data: { access_key: accessKey, expiration, secret_key: secretKey },
            warnings: warningsOf(role, mount.context.clock.now()),
          };
        },
      },
    },
  });
}

/** The role, rotated where that is overdue: otherwise the key would be replaced as soon as it has been shown. Null: none. */
async function presentRole(mount: AwsMount, name: string): Promise<StaticRole | null> {
  const { storage, clock, log } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null || stored.role.nextRotationAt > clock.now()) return stored?.role ?? null;
  const { rotateDueStatic } = await import("./static-rotation.ts");
  await rotateDueStatic(mount, name).catch((error: unknown) => {
    log.warn("an overdue rotation failed; it is retried", { role: name, error: messageOf(error) });
  });
  return (await readStatic(storage, name))?.role ?? null;
}

/** What whoever uses the key should know. */
function warningsOf({ intent, nextRotationAt }: StaticRole, now: number): readonly string[] {
  if (intent !== null)
    return [
      "a rotation is under way: the key may be replaced at any moment, and stays good until the rotation after",
    ];
  return nextRotationAt > now
    ? []
    : ["the rotation that is due failed, and is retried: the key stays good until the rotation after"];
}
