import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type MountContext, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { readConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
import { newPassword } from "./new-credential.ts";
import { refusing } from "./refusal.ts";
import { readRole } from "./role.ts";

const NAME = field.string({ description: "The connection's name." });
const HOUR_MS = 3_600_000;

/** `reconcile/:name` and `preflight/:name`, which Vault does not have: how a connection's server is, and is to be. */
export function carePaths(context: MountContext, connections: Connections): PathSpec[] {
  return [reconcilePath(context, connections), preflightPath(context, connections)];
}

function reconcilePath(context: MountContext, connections: Connections): PathSpec {
  return path({
    pattern: "reconcile/:name",
    fields: {
      name: NAME,
      force: field.bool({ description: "Remove them. Without it they are only listed." }),
      usernames: field.commaStringList({ description: "With force: remove these and no others." }),
    },
    help: {
      synopsis: "Find users that this connection's roles could have made, and that no lease knows.",
      description:
        "They are told by their names. Another store, or a Vault, that makes users on the same server with the same names has leases of " +
        "its own, which this store does not know: look at the list before you remove what is on it.",
    },
    operations: {
      read: {
        summary: "List the users that no lease knows.",
        handler: ({ values }) => list(context, connections, values.name),
      },
      update: {
        summary: "List the users that no lease knows, or remove them.",
        handler: async ({ values }) => {
          if (!values.force) return list(context, connections, values.name);
          const { removeUnknown } = await import("./reconcile.ts");
          const { name, usernames } = values;
          const what = `reconciling connection "${name}"`;
          return { data: await refusing(what, () => removeUnknown(context, connections, name, usernames)) };
        },
      },
    },
  });
}

async function list(context: MountContext, connections: Connections, name: string): Promise<Reply> {
  const { findUnknown } = await import("./reconcile.ts");
  const found = await refusing(`reconciling connection "${name}"`, () =>
    findUnknown(context, connections, name),
  );
  const { unknown, marked } = found;
  return { data: { known: marked - unknown.length, unknown } };
}

function preflightPath(context: MountContext, connections: Connections): PathSpec {
  return path({
    pattern: "preflight/:name",
    fields: {
      name: NAME,
      role: field.string({
        description: "Try the creation statements of this role; by default a plain user.",
      }),
    },
    help: {
      synopsis: "Try whether the administrator of a connection can do all that a user's life needs.",
      description:
        "A user is made, changed and dropped in a transaction that is rolled back. What the server refuses is listed.",
    },
    operations: {
      update: {
        summary: "Try the administrator's privileges.",
        handler: async ({ values }) => ({
          data: await preflight(context, connections, values.name, values.role),
        }),
      },
    },
  });
}

async function preflight(
  context: MountContext,
  connections: Connections,
  name: string,
  roleName: string,
): Promise<JsonObject> {
  const stored = await readConfig(context.storage, name);
  if (stored === null) throw badRequest(`failed to find entry for connection with name: "${name}"`);
  const role = roleName === "" ? null : await readRole(context.storage, roleName);
  if (roleName !== "" && role === null) throw badRequest(`unknown role: ${roleName}`);
  if (role !== null && role.dbName !== name) {
    throw badRequest(`role "${roleName}" makes its users with the connection "${role.dbName}"`);
  }
  const { config } = stored;
  const policy = role?.credentialConfig.password_policy ?? "";
  const probe = {
    username: await connections.chooseUsername(config, "preflight", roleName || "probe"),
    password: await newPassword(context, policy, config.passwordPolicy),
    expiresAt: context.clock.now() + HOUR_MS,
    creationStatements: role?.creationStatements ?? [],
  };
  const problems = await refusing(`trying connection "${name}"`, () =>
    connections.use(name, async (plugin) => {
      if (plugin.preflight === undefined) {
        throw badRequest(`plugin "${config.pluginName}" has no preflight`);
      }
      return plugin.preflight(probe);
    }),
  );
  return { problems, ready: problems.length === 0 };
}
