import type { Json } from "../../src/base/json.ts";
import type { Method } from "../../src/contract/wire.ts";

/** What nobody meant a parameter to be. */
export const VALUES: readonly (readonly [string, Json])[] = [
  ["a text that is too long", "x".repeat(20_000)],
  ["a NUL", "a\0b"],
  ["half a surrogate pair", "a\ud800b"],
  ["a step up", "../../sys/raw"],
  ["only white space", " \t\n"],
  ["slashes", "a//b/"],
  ["a number that is too large", 1e300],
  ["a negative number", -1],
  ["a fraction", 0.1],
  ["a truth", true],
  ["nothing", null],
  ["an empty list", []],
  ["a list of everything", [1, "a", null, true, { a: 1 }, [2]]],
  ["a map of everything", { a: null, b: [1], constructor: "c", toString: { d: 1 } }],
  ["a template", "{{identity.entity.id}}"],
  ["a pattern", "*+[a-z]{1,9}(a+)+$"],
  ["a list in a text", '["a",{"b":1}]'],
  ["a duration that is none", "999999999999999h"],
];
/** How each operation is asked for. */
export const METHODS: Readonly<Record<string, Method>> = {
  read: "GET",
  list: "LIST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
};
