import { approleMethod } from "./approle.ts";
import { jwtMethod } from "./jwt.ts";
import type { LoginMethod } from "./method.ts";
import { tokenMethod } from "./token.ts";
import { userpassMethod } from "./userpass.ts";

/** Every method that `login` knows of; the others are reached with `write auth/<path>/login …`. */
export const LOGIN_METHODS: readonly LoginMethod[] = [approleMethod, jwtMethod, tokenMethod, userpassMethod];

/** Finds a method by its type. */
export function loginMethod(type: string): LoginMethod | undefined {
  return LOGIN_METHODS.find((method) => method.type === type);
}
