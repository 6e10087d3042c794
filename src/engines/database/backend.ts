import type { Backend, MountContext } from "../../framework/backend.ts";
import { Slots } from "../../framework/slots.ts";
import { carePaths } from "./care-paths.ts";
import { configOf } from "./config.ts";
import { configPaths } from "./config-paths.ts";
import { Connections } from "./connections.ts";
import { credsPaths } from "./creds-paths.ts";
import { credsSecret } from "./creds-secret.ts";
import type { PluginFinder } from "./plugin.ts";
import { areProbesGone, dropDueProbe, isProbeKey } from "./probe-user.ts";
import { rolePaths } from "./role-paths.ts";
import { rotateDueRoot, rotationOf, settleRotation } from "./root-rotation.ts";
import { rotatePaths } from "./rotate-paths.ts";
import { staticPaths } from "./static-paths.ts";
import { staticNameOf } from "./static-role.ts";

/** The database secrets engine, over the plugins that `findPlugin` knows. */
export function databaseEngine(findPlugin: PluginFinder): (context: MountContext) => Backend {
  return (context) => mount(context, new Connections(context, findPlugin));
}

/** Rotations at once: on one schedule many are due at the same moment, and each logs in on a connection of its own. */
const STATIC_WORK_MAX = 4;

function mount(context: MountContext, connections: Connections): Backend {
  const staticWork = new Slots(STATIC_WORK_MAX);
  return {
    help:
      "The database engine makes database users on demand. Configure a connection, define a role with the statements " +
      "that make its users, and read creds/<role>: the user lives as long as its lease.",
    paths: [
      ...configPaths(context, connections),
      ...rolePaths(context, connections),
      ...credsPaths(context, connections),
      ...rotatePaths(context, connections),
      ...staticPaths({ context, connections }),
      ...carePaths(context, connections),
    ],
    secrets: [credsSecret(context, connections)],
    due: async (key) => {
      const staticRole = staticNameOf(key);
      if (staticRole !== null) {
        const { doDueStatic } = await import("./static-work.ts");
        await staticWork.use(() => doDueStatic({ context, connections }, staticRole));
      }
      const rotated = rotationOf(key);
      if (rotated !== null) await settleRotation(context, connections, rotated);
      const connection = configOf(key);
      if (connection !== null) await rotateDueRoot(context, connections, connection);
      if (isProbeKey(key)) await dropDueProbe(context, connections, key);
    },
    isClear: () => areProbesGone(context.storage),
    close: () => connections.closeAll(),
  };
}
