import { type Random, randomString } from "../../base/random.ts";
import { cutBytes } from "./user-values.ts";

/** The shape of a plugin's default user names: `v-<display name>-<role>-<random>-<seconds>`, cut later to its limit. */
export interface NameShape {
  readonly prefix: string;
  readonly separator: string;
  /** In bytes. */
  readonly displayMax: number;
  readonly roleMax: number;
}

const RANDOM_LENGTH = 20;

/**
 * Makes a default user name by a shape.
 * @see reference: engines.md section 1.9.1.
 */
export function defaultUsernameOf(
  shape: NameShape,
  displayName: string,
  roleName: string,
  random: Random,
  nowMs: number,
): string {
  return [
    shape.prefix,
    cutBytes(displayName, shape.displayMax),
    cutBytes(roleName, shape.roleMax),
    randomString(random, RANDOM_LENGTH),
    String(Math.floor(nowMs / 1000)),
  ].join(shape.separator);
}
