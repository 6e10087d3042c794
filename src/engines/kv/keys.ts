import { badRequest } from "../../base/errors.ts";

/*
 * Where things lie in a mount's storage. The data of version 1 has a place of its own, so that an upgrade moves each secret
 * from the one to the other in one commit, and what is left in the old place is what is still to be moved.
 */

/** The secrets of version 1, by path. */
export const PLAIN_PREFIX = "plain/";
/** What is known about each secret of version 2, by path. */
export const RECORD_PREFIX = "record/";
/** How far the upgrade from version 1 is; absent: it has not begun. */
export const UPGRADE_KEY = "upgrade";
export const CONFIG_KEY = "config";

const VERSION_PREFIX = "version/";

/** So that a path stays storable when its segments are encrypted. */
const PATH_BYTES_MAX = 1024;
const PATH_SEGMENTS_MAX = 64;

/** @throws ApiError 400 for a path that could not be stored. */
export function checkPath(path: string): string {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX || path.split("/").length > PATH_SEGMENTS_MAX) {
    throw badRequest(`a secret's path has at most ${PATH_BYTES_MAX} bytes and ${PATH_SEGMENTS_MAX} segments`);
  }
  return path;
}

/** Where a secret of version 1 lies. @throws ApiError 400 for a path that could not be stored. */
export function plainKey(path: string): string {
  return PLAIN_PREFIX + checkPath(path);
}

/** Where the record of a secret lies. @throws ApiError 400 for a path that could not be stored. */
export function recordKey(path: string): string {
  return RECORD_PREFIX + checkPath(path);
}

/** Where the data of one version lie. The number is the last segment, so `a` version 1 and `a/1` never meet. */
export function versionKey(path: string, version: number): string {
  return `${VERSION_PREFIX}${checkPath(path)}/${version}`;
}
