/**
 * What this build is. The compiler replaces these names with literals (scripts/build.ts); run from source they do not
 * exist, and the fallbacks stand.
 */
declare const VSEC_VERSION: string;
declare const VSEC_REVISION: string;
declare const VSEC_BUILT: string;

/** The semantic version, without a leading `v`. */
export const VERSION: string = typeof VSEC_VERSION === "undefined" ? "0.0.0-dev" : VSEC_VERSION;

/** The commit it was built from, `-dirty` when files differed from it; `unknown` without a repository. */
export const REVISION: string = typeof VSEC_REVISION === "undefined" ? "source" : VSEC_REVISION;

/** The commit's own time (RFC 3339, UTC), so that the same commit gives the same bytes; `unknown` without a repository. */
export const BUILT: string = typeof VSEC_BUILT === "undefined" ? "unknown" : VSEC_BUILT;

/** The one line of `vsec version`, in the form of Vault's: `vsec v0.1.0 (4b825dc642cb), built 2026-01-02T03:04:05Z`. */
export function versionLine(): string {
  return `vsec v${VERSION} (${REVISION}), built ${BUILT}`;
}
