import { badRequest, messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { type RotationTimes, secondsUntil } from "../../framework/rotation.ts";
import { CONNECTION_FIELD, describeConnection } from "./client-connection.ts";
import { readConfig } from "./config.ts";
import { readRole } from "./role.ts";
import { isRotationOverdue, listStatic, NAME_TAKEN, readStatic, type StaticRole } from "./static-role.ts";
import type { StaticMount } from "./static-rotation.ts";
import { mergeStaticTerms, STATIC_FIELDS, type StaticGiven } from "./static-terms.ts";

/** `static-roles`, `static-roles/:name`, `static-creds/:name` and `rotate-role/:name`. @see reference: static roles. */
export function staticPaths(mount: StaticMount): PathSpec[] {
  const { storage } = mount.context;
  return [
    path({
      pattern: "static-roles",
      fields: {},
      help: { synopsis: "List the static roles." },
      operations: {
        list: {
          summary: "List the static roles.",
          handler: async () => ({ data: { keys: await listStatic(storage) } }),
        },
      },
    }),
    rolePath(mount),
    credsPath(mount),
    rotatePath(mount),
  ];
}

function rolePath(mount: StaticMount): PathSpec {
  const { storage } = mount.context;
  return path({
    pattern: "static-roles/:name",
    fields: STATIC_FIELDS,
    exists: async ({ values }) => (await readStatic(storage, values.name)) !== null,
    help: {
      synopsis: "Replace the password of an existing user, at intervals or on a schedule.",
      description:
        "The password is replaced when the role is made, unless skip_import_rotation says otherwise. An update keeps what it is not given.",
    },
    operations: {
      read: {
        summary: "Show a static role.",
        handler: async ({ values }) => {
          const stored = await readStatic(storage, values.name);
          return stored === null
            ? undefined
            : { data: describe(stored.role), warnings: warningsOf(stored.role) };
        },
      },
      update: {
        summary: "Create or change a static role.",
        handler: async ({ values, given }) => {
          await write(mount, values.name, given);
          return undefined;
        },
      },
      delete: {
        summary: "Delete a static role. Its user stays, with the password that it has.",
        handler: async ({ values }) => {
          const { release } = await import("./static-life.ts");
          await release(mount, values.name);
          return undefined;
        },
      },
    },
  });
}

async function write(mount: StaticMount, name: string, given: StaticGiven): Promise<void> {
  const { storage } = mount.context;
  if ((await readRole(storage, name)) !== null) throw badRequest(NAME_TAKEN);
  const stored = await readStatic(storage, name);
  const dbName = given.db_name ?? stored?.role.dbName ?? "";
  const config = dbName === "" ? null : await readConfig(storage, dbName);
  const terms = mergeStaticTerms(stored?.role ?? null, given, config?.config.skipsImportRotation ?? false);
  const password = given.password ?? given.self_managed_password ?? "";
  const { adopt, revise } = await import("./static-life.ts");
  if (stored === null) await adopt(mount, name, terms, password);
  else await revise(mount, name, stored, terms, password);
}

/** As Vault shows it: one of period and schedule. */
function describeTimes({ periodSeconds, schedule, windowSeconds }: RotationTimes): JsonObject {
  if (schedule === "") return { rotation_period: periodSeconds };
  return {
    rotation_schedule: schedule,
    ...(windowSeconds > 0 ? { rotation_window: windowSeconds } : {}),
  };
}

function lastRotation({ lastRotatedAt }: StaticRole): JsonObject {
  return lastRotatedAt === null ? {} : { last_vault_rotation: new Date(lastRotatedAt).toISOString() };
}

function describe(role: StaticRole): JsonObject {
  const hasConfig = Object.keys(role.credentialConfig).length > 0;
  return {
    ...(hasConfig ? { credential_config: role.credentialConfig } : {}),
    credential_type: role.credentialType,
    db_name: role.dbName,
    ...lastRotation(role),
    ...describeTimes(role.times),
    rotation_statements: role.rotationStatements,
    skip_import_rotation: role.skipsImportRotation,
    username: role.username,
  };
}

/** What whoever uses the credential should know. */
function warningsOf({ failure, drift, next, password }: StaticRole): string[] {
  const at = (time: number): string => new Date(time).toISOString();
  const warnings: string[] = [];
  const isRepaired = next === null ? "and repaired" : "and is being repaired";
  if (drift !== null) warnings.push(`${drift.text}; this was found at ${at(drift.at)}, ${isRepaired}`);
  if (failure !== null) warnings.push(`the last rotation failed at ${at(failure.at)}: ${failure.text}`);
  if (next !== null && failure === null && drift === null) {
    warnings.push("a rotation is under way: the password may be replaced at any moment");
  }
  if (password === "") warnings.push("the password is not known before the first rotation");
  return warnings;
}

function credsPath({ context, connections }: StaticMount): PathSpec {
  return path({
    pattern: "static-creds/:name",
    fields: { name: STATIC_FIELDS.name, connection: CONNECTION_FIELD },
    help: { synopsis: "Show the present password of a static role's user." },
    operations: {
      read: {
        summary: "Show the present password, and how long it holds.",
        handler: async ({ values }) => {
          const role = await presentRole({ context, connections }, values.name);
          const data = {
            ...lastRotation(role),
            password: role.password,
            ...describeTimes(role.times),
            ttl: role.rotateAt === null ? 0 : secondsUntil(role.rotateAt, context.clock.now()),
            username: role.username,
            ...(values.connection ? await describeConnectionOf({ context, connections }, role) : {}),
          };
          return { data, warnings: warningsOf(role) };
        },
      },
    },
  });
}

/** The role, rotated where that is overdue. A rotation that fails is told of by the role itself. */
async function presentRole(mount: StaticMount, name: string): Promise<StaticRole> {
  const { storage, clock, log } = mount.context;
  const stored = await readStatic(storage, name);
  if (stored === null) throw badRequest(`unknown role: ${name}`);
  if (!isRotationOverdue(stored.role, clock.now())) return stored.role;
  const { doDueStatic } = await import("./static-work.ts");
  await doDueStatic(mount, name).catch((error: unknown) => {
    log.warn("an overdue rotation failed; it is retried", { role: name, error: messageOf(error) });
  });
  return (await readStatic(storage, name))?.role ?? stored.role;
}

async function describeConnectionOf(
  { context, connections }: StaticMount,
  { dbName, username, password }: StaticRole,
): Promise<JsonObject> {
  const stored = await readConfig(context.storage, dbName);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${dbName}"`);
  return describeConnection(connections, stored.config, { username, password });
}

function rotatePath(mount: StaticMount): PathSpec {
  return path({
    pattern: "rotate-role/:name",
    fields: { name: STATIC_FIELDS.name },
    help: { synopsis: "Replace the password of a static role's user now." },
    operations: {
      update: {
        summary: "Rotate a static role's password.",
        handler: async ({ values }) => {
          const { rotateNow } = await import("./static-work.ts");
          await rotateNow(mount, values.name);
          return undefined;
        },
      },
    },
  });
}
