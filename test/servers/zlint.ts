/**
 * zlint, which holds certificates against the rules of browsers, built from its Go module. {@link zlintMissing} says why it
 * cannot run here, for `describe.skipIf`.
 */

import { join } from "node:path";
import { CachedBuild, type Run } from "./cached-build.ts";

const VERSION = "v3.6.4";
const MODULE = `github.com/zmap/zlint/v3@${VERSION}`;
const BUILD = new CachedBuild("zlint", VERSION, [["go", "version"]], build);

function build(draft: string, run: Run): void {
  const { Dir } = JSON.parse(run("go", "mod", "download", "-json", MODULE)) as { Dir: string };
  run("go", "-C", Dir, "build", "-buildvcs=false", "-o", join(draft, "zlint"), "./cmd/zlint");
}

/** Why zlint cannot run on this machine; undefined: it can. Builds it when that was not done before. */
export function zlintMissing(stepMsMax?: number): string | undefined {
  return BUILD.missing(stepMsMax);
}

/** The program. */
export const ZLINT = join(BUILD.directory, "zlint");
