import { type MountContext, type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { Connections } from "./connections.ts";
import { refusing } from "./refusal.ts";

const NAME = field.string({ description: "The connection's name." });

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
        "A user is made, changed and dropped: in a transaction that is rolled back, or, where the server takes nothing back, really. " +
        "What it refuses is listed, with the statement that grants what is missing. A plain user is also tried whenever the connection is configured.",
    },
    operations: {
      update: {
        summary: "Try the administrator's privileges.",
        handler: async ({ values }) => {
          const { preflight } = await import("./preflight.ts");
          return { data: await preflight(context, connections, values.name, values.role) };
        },
      },
    },
  });
}
