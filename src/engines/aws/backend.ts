import type { Backend, MountContext } from "../../framework/backend.ts";
import { type AwsTuning, Clients } from "./clients.ts";
import { ROOT_KEY } from "./config.ts";
import { configPaths } from "./config-paths.ts";
import { credsPaths } from "./creds-paths.ts";
import type { AwsMount } from "./plan.ts";
import { tokenSecret } from "./plan-token.ts";
import { dropExpired, isProcessKey } from "./process-cache.ts";
import { processPaths } from "./process-paths.ts";
import { rolePaths } from "./role-paths.ts";
import { isRotationRecord } from "./root-record.ts";
import { rotatePaths } from "./rotate-paths.ts";
import { staticPaths } from "./static-paths.ts";
import { staticNameOf } from "./static-role.ts";
import { NeverCreatedLeases, userSecret } from "./user-secret.ts";

/** The AWS secrets engine. */
export function awsEngine(
  tuning: AwsTuning = { requestTimeoutMs: null },
): (context: MountContext) => Backend {
  return (context) => {
    const clients = new Clients(context, tuning);
    return mounted({ context, clients, never: new NeverCreatedLeases() });
  };
}

function mounted(mount: AwsMount): Backend {
  const { context, clients, never } = mount;
  return {
    help:
      "The AWS engine makes AWS credentials on demand: IAM users that live as long as their lease, and tokens of STS. " +
      "Configure config/root, define a role with its policies, and read creds/<role> or sts/<role>. It also replaces the " +
      "access keys of existing users, by itself (static-roles).",
    paths: [
      ...configPaths(context),
      ...rotatePaths(mount),
      ...rolePaths(context),
      ...credsPaths(mount),
      ...processPaths(mount),
      ...staticPaths(mount),
    ],
    secrets: [userSecret(context, clients, never), tokenSecret(context)],
    due: (key) => doDue(mount, key),
    close: () => clients.close(),
  };
}

async function doDue(mount: AwsMount, key: string): Promise<void> {
  if (isProcessKey(key)) {
    await dropExpired(mount.context.storage, key, mount.context.clock.now());
    return;
  }
  if (key === ROOT_KEY) {
    const { rotateDueRoot } = await import("./root-rotation.ts");
    await rotateDueRoot(mount);
    return;
  }
  if (isRotationRecord(key)) {
    const { settleRotation } = await import("./root-rotation.ts");
    await settleRotation(mount);
    return;
  }
  const name = staticNameOf(key);
  if (name === null) return;
  const { rotateDueStatic } = await import("./static-rotation.ts");
  await rotateDueStatic(mount, name);
}
