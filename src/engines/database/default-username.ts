import { type Random, randomString } from "../../base/random.ts";

/** The shape of a plugin's default user names: `v-<display name>-<role>-<random>-<seconds>`, cut later to its limit. */
export interface NameShape {
  readonly prefix: string;
  readonly separator: string;
  /** In bytes. */
  readonly displayMax: number;
  readonly roleMax: number;
}

const RANDOM_LENGTH = 20;

/** The first `bytesMax` bytes of a text, without a torn character at the end. */
export function cutText(text: string, bytesMax: number): string {
  return new TextDecoder().decode(Buffer.from(text, "utf8").subarray(0, bytesMax), { stream: true });
}

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
    cutText(displayName, shape.displayMax),
    cutText(roleName, shape.roleMax),
    randomString(random, RANDOM_LENGTH),
    String(Math.floor(nowMs / 1000)),
  ].join(shape.separator);
}
