import { AUTH_METHODS } from "../../src/auth/index.ts";
import { initBarrier } from "../../src/barrier/open.ts";
import { VsecError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { Core } from "../../src/core/core.ts";
import { emptyMountTable } from "../../src/core/mounts/table.ts";
import { findRoute } from "../../src/core/route.ts";
import { controlPaths } from "../../src/core/system/control-paths.ts";
import type { SealControl } from "../../src/core/system/seal-control.ts";
import { newRootToken } from "../../src/core/tokens/store.ts";
import type { Backend } from "../../src/framework/backend.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";

/** What a path asks of its caller: nothing, a token that may, or one that has sudo as well. */
export type Access = "unauthenticated" | "token" | "sudo";

/** One path that vsec declares. */
export interface Declared {
  /** Every captured name as `{}`: `auth/approle/role/{}/secret-id`. */
  readonly shape: string;
  readonly operations: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  readonly access: Access;
}

const CLOCK = { now: () => 0, sleep: async () => undefined };

/** All paths of the core's own API, and of each auth method, mounted at its type's name. */
export async function declaredPaths(): Promise<readonly Declared[]> {
  const { core, token } = await openCore();
  const found: Declared[] = [];
  const declare = async (mountPath: string): Promise<void> => {
    const route = await findRoute(core.services, mountPath);
    if (route === null) throw new VsecError("USAGE", `nothing is mounted at ${mountPath}`);
    found.push(...declaredBy(mountPath, route.backend));
  };
  for (const mountPath of core.services.mounts.builtins.paths) await declare(mountPath);
  for (const { type } of AUTH_METHODS) {
    await core.handle({ method: "PUT", path: `sys/auth/${type}`, token, body: { type } });
    await declare(`auth/${type}/`);
  }
  await core.close();
  return found;
}

function declaredBy(mountPath: string, backend: Backend): Declared[] {
  return backend.paths.map(({ pattern, operations, fields, unauthenticated, sudo }) => ({
    shape: `${mountPath}${pattern}`.replace(/\/$/, "").replace(/[:*]\w+/g, "{}"),
    operations: new Set(Object.keys(operations)),
    parameters: new Set(Object.keys(fields)),
    access: unauthenticated === true ? "unauthenticated" : sudo === true ? "sudo" : "token",
  }));
}

/** Nothing is asked of it: what it answers is not part of a declaration. */
function noSeal(): SealControl {
  const refuse = async (): Promise<never> => {
    throw new VsecError("USAGE", "there is no seal here");
  };
  const lifecycle = { state: refuse, init: refuse, unseal: refuse, resetUnseal: refuse, seal: refuse };
  return { ...lifecycle, rekey: refuse, generateRoot: refuse };
}

async function openCore(): Promise<{ core: Core; token: string }> {
  let token = "";
  const barrier = await initBarrier({
    storage: openMemoryStorage(),
    rootKey: systemRandom.bytes(32),
    clock: CLOCK,
    random: systemRandom,
    seal: { type: "key-file", storeId: "declarations", params: {} },
    writes: (opened) => {
      const root = newRootToken(opened, systemRandom, CLOCK.now());
      token = root.id;
      return [emptyMountTable(), ...root.writes];
    },
  });
  const core = new Core({
    barrier,
    clock: CLOCK,
    random: systemRandom,
    log: silentLog,
    engines: [],
    authMethods: AUTH_METHODS,
    sealPaths: controlPaths(noSeal(), CLOCK.now),
  });
  return { core, token };
}
