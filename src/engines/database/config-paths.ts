import { ApiError, badRequest, hasCode, messageOf } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import {
  describeRootRotation,
  mergeRootRotation,
  NO_ROOT_ROTATION,
  nextRootRotation,
  ROOT_ROTATION_FIELDS,
  type RootRotationTimes,
} from "../../framework/rotation.ts";
import {
  type ConnectionConfig,
  detail,
  isSelfManaged,
  listConfigs,
  putConfig,
  readConfig,
  retireConfig,
} from "./config.ts";
import type { Connections } from "./connections.ts";
import { DatabaseError } from "./plugin.ts";
import { checkNoRotation, requireRootLogin, settleRotation } from "./root-rotation.ts";
import { staticRolesOn } from "./static-role.ts";
import { hasPassword, withoutPassword } from "./url-password.ts";

const FIELDS = {
  name: field.string({ description: "The connection's name." }),
  plugin_name: field.string({ description: "The kind of database, such as postgresql-database-plugin." }),
  plugin_version: field.string({ description: "Kept and shown; every plugin here is built in." }),
  verify_connection: field.bool({
    description: "Connect while writing, refuse what does not, and warn of privileges that are missing.",
    default: true,
  }),
  allowed_roles: field.commaStringList({
    description:
      "The roles that may use the connection; * stands for any run of characters. None by default.",
  }),
  root_rotation_statements: field.stringList({
    description: "What rotate-root runs; by default the plugin's own statement.",
  }),
  password_policy: field.string({ description: "The policy that passwords are made by." }),
  connection_url: field.string({
    description: "How to reach the server, with {{username}} and {{password}} where the two belong.",
  }),
  skip_static_role_import_rotation: field.bool({
    description: "Take static roles over without a rotation, unless they say otherwise.",
  }),
  ...ROOT_ROTATION_FIELDS,
  username: field.string({ description: "The administrator's name." }),
  password: field.string({ description: "The administrator's password.", sensitive: true }),
};

type ConfigFields = typeof FIELDS;

/** Fields that are not the plugin's business and so are not among the connection details. */
const OWN = [
  "name",
  "plugin_name",
  "plugin_version",
  "verify_connection",
  "allowed_roles",
  "root_rotation_statements",
  "password_policy",
  "skip_static_role_import_rotation",
  ...Object.keys(ROOT_ROTATION_FIELDS),
];

/** Never shown. */
const SECRET_DETAILS = [
  ...["password", "private_key", "service_account_json", "secret"],
  // PEM bundles that hold a private key.
  ...["tls_certificate_key", "pem_bundle", "pem_json"],
];

const PASSWORD_IN_URL =
  "Password found in connection_url, use a templated url to enable root rotation and prevent read access to password information.";

/** `config` and `config/:name`. @see reference: database engine, config. */
export function configPaths(context: MountContext, connections: Connections): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "config",
      fields: {},
      help: { synopsis: "List the configured connections." },
      operations: {
        list: {
          summary: "List the configured connections.",
          handler: async () => ({ data: { keys: await listConfigs(storage) } }),
        },
      },
    }),
    path({
      pattern: "config/:name",
      fields: FIELDS,
      takesAnyField: true,
      exists: async ({ values }) => (await readConfig(storage, values.name)) !== null,
      help: {
        synopsis: "Configure how a database is reached and administered.",
        description:
          "Parameters that are not listed here are the plugin's own: limits, TLS material, username_template. An update keeps what it is not given, the password too.",
      },
      operations: {
        read: {
          summary: "Show a connection, without its password.",
          handler: async ({ values }) => {
            const stored = await readConfig(storage, values.name);
            return stored === null ? undefined : { data: describe(stored.config) };
          },
        },
        update: {
          summary: "Create or change a connection.",
          handler: ({ values, given, raw }) =>
            write(context, connections, values.name, given, raw, values.verify_connection),
        },
        delete: {
          summary: "Take a connection out of use. Its leases are still revoked with it.",
          handler: async ({ values }) => {
            await settleFirst(context, connections, values.name);
            await retireConfig(storage, values.name, checkNoRotation(values.name)).catch((error: unknown) =>
              refuseConflict(values.name, error),
            );
            await connections.close(values.name);
            const roles = await staticRolesOn(storage, values.name);
            return roles.length === 0 ? undefined : { warnings: [leftBehind(roles)] };
          },
        },
      },
    }),
    resetPath(context, connections),
  ];
}

function leftBehind(roles: readonly string[]): string {
  const shown = roles.slice(0, ROLES_SHOWN_MAX).join(", ");
  const more = roles.length > ROLES_SHOWN_MAX ? ` and ${roles.length - ROLES_SHOWN_MAX} more` : "";
  return `The passwords of these static roles are not rotated without the connection: ${shown}${more}`;
}

const ROLES_SHOWN_MAX = 10;

function resetPath({ storage }: MountContext, connections: Connections): PathSpec {
  return path({
    pattern: "reset/:name",
    fields: { name: FIELDS.name },
    help: { synopsis: "Close a connection; it is opened again on next use." },
    operations: {
      update: {
        summary: "Close and reopen a connection.",
        handler: async ({ values }) => {
          if ((await readConfig(storage, values.name)) === null) {
            throw badRequest(`failed to find entry for connection with name: "${values.name}"`);
          }
          await connections.close(values.name);
          return undefined;
        },
      },
    },
  });
}

/** A connection whose root rotation is half done must not go: the password in force would go with it. */
async function settleFirst(context: MountContext, connections: Connections, name: string): Promise<void> {
  try {
    await settleRotation(context, connections, name);
  } catch (error) {
    throw badRequest(
      `a rotation of the root credentials of "${name}" is half done and could not be settled: ${messageOf(error)}; ` +
        "delete the connection when the database answers again",
      error,
    );
  }
}

async function write(
  context: MountContext,
  connections: Connections,
  name: string,
  given: Given<ConfigFields>,
  raw: JsonObject,
  verify: boolean,
): Promise<Reply | undefined> {
  const stored = await readConfig(context.storage, name);
  const config = merge(stored?.config, given, raw, context.clock.now());
  if (config.rotateAt !== null) requireRootLogin(config);
  const plugin = await connections.create(config).catch(refusePlugin);
  try {
    // As Vault does: a template is run once, with nothing to fill in.
    await connections.chooseUsername(config, "", "").catch(refusePlugin);
    // Without an administrator there is nobody to log in as.
    const isTried = verify && !isSelfManaged(config);
    if (isTried) await plugin.verify().catch((error: unknown) => refuseLogin(error, config));
    await store(context, name, config, stored?.version ?? 0);
    await connections.close(name);
    const ofUrl = hasPassword(detail(config.details, "connection_url")) ? [PASSWORD_IN_URL] : [];
    const ofRights = isTried ? await warningsAbout(context, connections, plugin, { name, config }) : [];
    const warnings = [...ofUrl, ...ofRights];
    return warnings.length === 0 ? undefined : { warnings };
  } finally {
    await plugin.close();
  }
}

async function warningsAbout(
  ...about: Parameters<typeof import("./preflight.ts").adviseOn>
): Promise<readonly string[]> {
  const { adviseOn } = await import("./preflight.ts");
  return adviseOn(...about);
}

async function store(
  { storage }: MountContext,
  name: string,
  config: ConnectionConfig,
  expect: number,
): Promise<void> {
  try {
    await storage.commit([putConfig(name, config, expect)]);
  } catch (error) {
    refuseConflict(name, error);
  }
}

/** @throws ApiError 409 for a lost race, else the error. */
function refuseConflict(name: string, error: unknown): never {
  if (!hasCode(error, "STORE_CONFLICT")) throw error;
  throw new ApiError(
    409,
    `connection "${name}" was changed by somebody else meanwhile; look at it and try again`,
  );
}

function merge(
  old: ConnectionConfig | undefined,
  given: Given<ConfigFields>,
  raw: JsonObject,
  now: number,
): ConnectionConfig {
  const details: Record<string, Json> = { ...old?.details };
  for (const [key, value] of Object.entries(raw)) {
    if (!OWN.includes(key) && value !== null) details[key] = value;
  }
  const pluginName = given.plugin_name ?? old?.pluginName ?? "";
  if (pluginName === "") throw badRequest("empty plugin name");
  return {
    pluginName,
    pluginVersion: given.plugin_version ?? old?.pluginVersion ?? "",
    details,
    allowedRoles: given.allowed_roles ?? old?.allowedRoles ?? [],
    rootRotationStatements: given.root_rotation_statements ?? old?.rootRotationStatements ?? [],
    passwordPolicy: given.password_policy ?? old?.passwordPolicy ?? "",
    skipsImportRotation: given.skip_static_role_import_rotation ?? old?.skipsImportRotation ?? false,
    ...mergeRotation(old, given, now),
  };
}

/** Times that change are counted from now. */
function mergeRotation(
  old: ConnectionConfig | undefined,
  given: Given<ConfigFields>,
  now: number,
): { readonly rootRotation: RootRotationTimes; readonly rotateAt: number | null } {
  const before = old?.rootRotation ?? NO_ROOT_ROTATION;
  const rootRotation = mergeRootRotation(before, given);
  const isSame = JSON.stringify(rootRotation) === JSON.stringify(before);
  return { rootRotation, rotateAt: isSame ? (old?.rotateAt ?? null) : nextRootRotation(rootRotation, now) };
}

/** @throws ApiError 400. */
function refusePlugin(error: unknown): never {
  throw badRequest(`error creating database object: ${messageOf(error)}`, error);
}

/** What a file or `echo` adds to a password is the commonest reason for which a server refuses it. @throws ApiError 400. */
function refuseLogin(error: unknown, { details }: ConnectionConfig): never {
  const isRefused = error instanceof DatabaseError && error.kind === "auth";
  if (!isRefused || !/[\r\n]$/.test(detail(details, "password"))) refusePlugin(error);
  refusePlugin(error.inWords(`${error.message}; the password that was given ends with a line break`));
}

function describe(config: ConnectionConfig): JsonObject {
  const shown = Object.entries(config.details).filter(([key]) => !SECRET_DETAILS.includes(key));
  const details: Record<string, Json> = Object.fromEntries(shown);
  const url = detail(config.details, "connection_url");
  if (hasPassword(url)) details.connection_url = withoutPassword(url);
  return {
    allowed_roles: config.allowedRoles,
    connection_details: details,
    password_policy: config.passwordPolicy,
    plugin_name: config.pluginName,
    plugin_version: config.pluginVersion,
    root_credentials_rotate_statements: config.rootRotationStatements,
    skip_static_role_import_rotation: config.skipsImportRotation,
    ...describeRootRotation(config.rootRotation),
  };
}
