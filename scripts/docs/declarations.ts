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
import { ENGINES } from "../../src/engines/index.ts";
import type { Backend, PathSpec } from "../../src/framework/backend.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";

/** What a path asks of its caller: nothing, a token that may, or one that has sudo as well. */
export type Access = "unauthenticated" | "token" | "sudo";

/** One path that vsec declares. */
export interface Declared {
  /** Whether this is the path of an endpoint, whose names are in braces: `auth/approle/role/{role_name}/secret-id`. */
  serves(endpoint: string): boolean;
  readonly operations: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  readonly access: Access;
}

const CLOCK = { now: () => 0, sleep: async () => undefined };

/** What vsec declares, and for which of the engines that were asked about. */
export interface Declarations {
  readonly paths: readonly Declared[];
  readonly engines: ReadonlySet<string>;
}

/**
 * All paths of the core's own API, of each auth method, mounted at its type's name, and of engines, mounted at theirs.
 * @param engines - Types, with a version where there are several: `aws`, `kv-v2`. One that vsec does not have is left out.
 */
export async function declaredPaths(engines: readonly string[]): Promise<Declarations> {
  const { core, token } = await openCore();
  const paths: Declared[] = [];
  const declare = async (mountPath: string): Promise<void> => {
    const route = await findRoute(core.services, mountPath);
    if (route === null) throw new VsecError("USAGE", `nothing is mounted at ${mountPath}`);
    paths.push(...declaredBy(mountPath, route.backend));
  };
  for (const mountPath of core.services.mounts.builtins.paths) await declare(mountPath);
  for (const { type } of AUTH_METHODS) {
    await core.handle({ method: "PUT", path: `sys/auth/${type}`, token, body: { type } });
    await declare(`auth/${type}/`);
  }
  const present = engines.map(engineOf).filter(({ type }) => ENGINES.some((engine) => engine.type === type));
  for (const { name, ...body } of present) {
    await core.handle({ method: "PUT", path: `sys/mounts/${name}`, token, body });
    await declare(`${name}/`);
  }
  await core.close();
  return { paths, engines: new Set(present.map(({ name }) => name)) };
}

function engineOf(name: string) {
  const [, type = name, version] = /^(.+)-v(\d+)$/.exec(name) ?? [];
  return { name, type, options: version === undefined ? {} : { version } };
}

function declaredBy(mountPath: string, backend: Backend): Declared[] {
  return backend.paths.map((spec) => ({
    serves: matcher(`${mountPath}${spec.pattern}`.replace(/\/$/, ""), spec.captures ?? {}),
    operations: new Set(Object.keys(spec.operations)),
    parameters: new Set(Object.keys(spec.fields)),
    access: spec.unauthenticated === true ? "unauthenticated" : spec.sudo === true ? "sudo" : "token",
  }));
}

/** A name serves a name; one with a rule of its own also the words that follow it, as in `crl/:format` with `/pem|der/`. */
function matcher(
  pattern: string,
  captures: NonNullable<PathSpec["captures"]>,
): (endpoint: string) => boolean {
  const parts = pattern.split("/");
  const takes = (part: string, segment: string): boolean => {
    const isName = part.startsWith(":") || part.startsWith("*");
    if (segment.startsWith("{")) return isName;
    return isName ? captures[part.slice(1)]?.test(segment) === true : part === segment;
  };
  return (endpoint) => {
    const segments = endpoint.split("/");
    return (
      segments.length === parts.length && parts.every((part, index) => takes(part, segments[index] ?? ""))
    );
  };
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
    engines: ENGINES,
    authMethods: AUTH_METHODS,
    sealPaths: controlPaths(noSeal(), CLOCK.now),
  });
  return { core, token };
}
