import { describe, expect, test } from "bun:test";
import { type JsonObject, parseJson } from "../../../src/base/json.ts";
import { Acl, type AclRequest } from "../../../src/core/policies/acl.ts";
import { parsePolicy } from "../../../src/core/policies/parse.ts";

/** The ACL of some policies, named p0, p1, … */
function acl(...texts: readonly string[]): Acl {
  return Acl.of(texts.map((text, index) => ({ name: `p${index}`, stanzas: parsePolicy(text).stanzas })));
}

function may(subject: Acl, request: Pick<AclRequest, "operation" | "path"> & Partial<AclRequest>): boolean {
  return subject.check({ data: {}, wrapTtlSeconds: 0, sudoPath: false, ...request }).allowed;
}

function rule(path: string, ...capabilities: readonly string[]): string {
  return `path ${JSON.stringify(path)} { capabilities = ${JSON.stringify(capabilities)} }\n`;
}

describe("choosing the rule", () => {
  // The documentation's own examples of which pattern comes first.
  test.each([
    ["an exact path before any wildcard", ["a/b", "a/+", "a/*"], "a/b", "a/b"],
    ["the longer prefix", ["a/*", "a/b*"], "a/bc", "a/b*"],
    ["a later wildcard before an earlier one", ["a/+/c", "a/b*"], "a/b/c", "a/b*"],
    ["a whole pattern before a prefix", ["a/+", "a/*"], "a/b", "a/+"],
    ["fewer pluses among prefixes", ["a/+/+/*", "a/+/c*"], "a/b/c/d", "a/+/c*"],
    ["fewer pluses among whole patterns", ["a/+/+", "a/+/c"], "a/b/c", "a/+/c"],
    ["a prefix without pluses before one with, where both begin alike", ["a/+/c*", "a/*"], "a/b/cd", "a/*"],
    ["the longer of equals", ["+/b/+", "+/+/cc"], "a/b/cc", "+/+/cc"],
    ["by length in bytes, as Vault does", ["+/é/+", "+/+/ab"], "x/é/ab", "+/é/+"],
    ["the one that sorts later of equals", ["+/b/+", "+/+/c"], "a/b/c", "+/b/+"],
  ])("prefers %s", (_name, patterns, path, winner) => {
    // Only the winner grants; a loser's deny has no effect.
    const texts = patterns.map((pattern) => rule(pattern, pattern === winner ? "read" : "deny"));
    expect(may(acl(texts.join("")), { operation: "read", path })).toBe(true);
    const others = patterns.map((pattern) => rule(pattern, pattern === winner ? "deny" : "read"));
    expect(may(acl(others.join("")), { operation: "read", path })).toBe(false);
  });

  test("takes a deny of one policy over all that others grant on the same pattern", () => {
    const subject = acl(rule("a/*", "read", "sudo"), rule("a/*", "deny"), rule("a/*", "update"));
    expect(subject.capabilities("a/x")).toEqual(["deny"]);
    expect(may(subject, { operation: "update", path: "a/x" })).toBe(false);
  });

  test("unites what policies grant on the same pattern, and names those that grant", () => {
    const subject = acl(rule("a", "read"), rule("a", "update"), rule("a", "read", "list"));
    expect(subject.capabilities("a")).toEqual(["list", "read", "update"]);
    const request = { operation: "read", path: "a", data: {}, wrapTtlSeconds: 0, sudoPath: false } as const;
    expect(subject.check(request)).toEqual({ allowed: true, sudo: false, grantingPolicies: ["p0", "p2"] });
  });

  test("lets a block without capabilities decide, and so refuse", () => {
    expect(acl(rule("a/*", "read") + rule("a/b")).capabilities("a/b")).toEqual(["deny"]);
  });

  test("gives the patterns of `*` and nothing their plain meaning", () => {
    expect(may(acl(rule("*", "read")), { operation: "read", path: "any/thing" })).toBe(true);
    expect(may(acl(rule("", "read")), { operation: "read", path: "any" })).toBe(false);
    expect(may(acl(rule("a*", "read")), { operation: "read", path: "a" })).toBe(true);
    expect(may(acl(rule("a/*", "read")), { operation: "read", path: "a" })).toBe(false);
  });
});

describe("lists", () => {
  test("are granted with and without the trailing slash", () => {
    for (const pattern of ["a/b", "a/b/", "a/*", "a/+", "a/+/", "+/b"]) {
      expect([pattern, may(acl(rule(pattern, "list")), { operation: "list", path: "a/b/" })]).toEqual([
        pattern,
        true,
      ]);
    }
  });

  test("are not granted by read, nor read by list", () => {
    expect(may(acl(rule("a/*", "read")), { operation: "list", path: "a/b/" })).toBe(false);
    expect(may(acl(rule("a/*", "list")), { operation: "read", path: "a/b" })).toBe(false);
    expect(may(acl(rule("a/b/", "read")), { operation: "read", path: "a/b" })).toBe(false);
  });

  test("of a folder that is denied are refused, however the folder is written", () => {
    const subject = acl(rule("a/*", "list", "read") + rule("a/b", "deny"));
    expect(may(subject, { operation: "list", path: "a/b/" })).toBe(false);
    expect(may(subject, { operation: "list", path: "a/c/" })).toBe(true);
  });

  test("fall back to the path without its slash only where nothing matches it with one", () => {
    const subject = acl(rule("a/b*", "deny") + rule("+/b", "list"));
    expect(may(subject, { operation: "list", path: "a/b/" })).toBe(false);
  });
});

describe("operations", () => {
  test("need their own capability and no other", () => {
    const all = ["create", "read", "update", "delete", "list", "patch"] as const;
    for (const granted of all) {
      const subject = acl(rule("a", granted));
      expect(all.filter((operation) => may(subject, { operation, path: "a" }))).toEqual([granted]);
    }
  });

  test("on protected paths need sudo as well, and sudo alone grants none", () => {
    const request = { operation: "update", path: "sys/seal", sudoPath: true } as const;
    expect(may(acl(rule("sys/seal", "update")), request)).toBe(false);
    expect(may(acl(rule("sys/seal", "sudo")), request)).toBe(false);
    expect(may(acl(rule("sys/seal", "update", "sudo")), request)).toBe(true);
    // Sudo on one pattern does not add to the update of another.
    expect(may(acl(rule("sys/seal", "update") + rule("sys/*", "sudo")), request)).toBe(false);
  });

  test("of help are allowed to everyone", () => {
    expect(may(acl(), { operation: "help", path: "anything" })).toBe(true);
  });

  test("are all allowed to root", () => {
    const root = Acl.root();
    expect(may(root, { operation: "delete", path: "sys/x", sudoPath: true })).toBe(true);
    expect(root.capabilities("x")).toEqual(["root"]);
    expect(root.describe()).toEqual({ root: true, exact_paths: {}, glob_paths: {} });
  });
});

describe("parameters", () => {
  function writes(bounds: string, data: JsonObject): boolean {
    const text = `path "a" { capabilities = ["read", "create", "update", "patch", "delete", "list"]\n${bounds} }`;
    return may(acl(text), { operation: "update", path: "a", data });
  }

  test.each([
    ["required, present", 'required_parameters = ["x"]', { x: 1 }, true],
    ["required, in other letters", 'required_parameters = ["X"]', { x: 1 }, true],
    ["required, absent", 'required_parameters = ["x"]', { y: 1 }, false],
    ["required, no data", 'required_parameters = ["x"]', {}, false],
    ["required and inherited by every object", 'required_parameters = ["toString"]', {}, false],
    ["denied, any value", "denied_parameters = { x = [] }", { x: 1 }, false],
    ["denied in other letters", "denied_parameters = { x = [] }", { X: 1 }, false],
    ["denied, this value", 'denied_parameters = { x = ["1"] }', { x: "1" }, false],
    ["denied, another value", 'denied_parameters = { x = ["1"] }', { x: "2" }, true],
    ["denied, all", 'denied_parameters = { "*" = [] }', { y: 1 }, false],
    ["denied, all, no data", 'denied_parameters = { "*" = [] }', {}, true],
    [
      "denied wins over allowed",
      "denied_parameters = { x = [] }\n allowed_parameters = { x = [] }",
      { x: 1 },
      false,
    ],
    ["allowed", "allowed_parameters = { x = [] }", { x: 1 }, true],
    ["not allowed", "allowed_parameters = { x = [] }", { x: 1, y: 1 }, false],
    ["allowed, all", 'allowed_parameters = { "*" = [] }', { y: 1 }, true],
    ["allowed, all, one bound", 'allowed_parameters = { "*" = [] x = ["1"] }', { y: 1, x: "2" }, false],
    [
      "allowed, all, one bound and kept",
      'allowed_parameters = { "*" = [] x = ["1"] }',
      { y: 1, x: "1" },
      true,
    ],
    ["allowed, no data", "allowed_parameters = { x = [] }", {}, true],
    ["a value's start", 'allowed_parameters = { x = ["app-*"] }', { x: "app-1" }, true],
    ["a value's end", 'allowed_parameters = { x = ["*-app"] }', { x: "app-1" }, false],
    ["a value's middle", 'allowed_parameters = { x = ["*p-*"] }', { x: "app-1" }, true],
    ["a star alone", 'denied_parameters = { x = ["*"] }', { x: "" }, false],
    ["no overlap of start and end", 'allowed_parameters = { x = ["*aa*"] }', { x: "a" }, false],
    ["a number", "allowed_parameters = { x = [1] }", { x: 1 }, true],
    ["a number is not its text", "allowed_parameters = { x = [1] }", { x: "1" }, false],
    ["a list", 'allowed_parameters = { x = [["a", "b"]] }', { x: ["a", "b"] }, true],
    ["a list in another order", 'allowed_parameters = { x = [["a", "b"]] }', { x: ["b", "a"] }, false],
    ["an object", "allowed_parameters = { x = [{ a = 1 }] }", { x: { a: 1 } }, true],
    ["an object with more", "allowed_parameters = { x = [{ a = 1 }] }", { x: { a: 1, b: 2 } }, false],
    [
      "a list in place of a text does not match it",
      'allowed_parameters = { x = ["a"] }',
      { x: ["a"] },
      false,
    ],
  ] as const)("%s", (_name, bounds, data, allowed) => {
    expect(writes(bounds, data)).toBe(allowed);
  });

  test("called like an object's own workings are parameters like others", () => {
    const data = Object.fromEntries([["__proto__", 1]]) as JsonObject;
    expect(writes("allowed_parameters = { x = [] }", data)).toBe(false);
    expect(writes("denied_parameters = { __proto__ = [] }", data)).toBe(false);
    expect(writes("allowed_parameters = { __proto__ = [] }", data)).toBe(true);
    expect(writes('required_parameters = ["__proto__"]', {})).toBe(false);
    expect(writes('required_parameters = ["constructor"]', parseJson('{"x":1}') as JsonObject)).toBe(false);
    expect(writes("allowed_parameters = { x = [] }", { constructor: 1, x: 1 })).toBe(false);
  });

  test("bind read, create, update and patch, not delete and list", () => {
    const subject = acl(`path "a" {
      capabilities = ["create", "read", "update", "delete", "list", "patch"]
      denied_parameters = { "*" = [] }
    }`);
    const operations = ["create", "read", "update", "patch", "delete", "list"] as const;
    const allowed = operations.filter((operation) => may(subject, { operation, path: "a", data: { x: 1 } }));
    expect(allowed).toEqual(["delete", "list"]);
  });

  test("of several policies are united by name, and an empty list stands for any value", () => {
    const parts = ['{ x = ["1"] }', '{ x = ["2"] y = ["3"] }'].map(
      (map) => `path "a" { capabilities = ["update"] allowed_parameters = ${map} }`,
    );
    const asks = (subject: Acl, data: JsonObject) => may(subject, { operation: "update", path: "a", data });
    const two = acl(...parts);
    expect([{ x: "1" }, { x: "2" }, { y: "3" }, { x: "3" }, { z: "1" }].map((it) => asks(two, it))).toEqual([
      ...[true, true, true, false, false],
    ]);
    const three = acl(...parts, 'path "a" { capabilities = ["update"] allowed_parameters = { x = [] } }');
    expect(asks(three, { x: "anything" })).toBe(true);
    const required = acl(
      'path "a" { capabilities = ["update"] required_parameters = ["x"] }',
      'path "a" { capabilities = ["update"] required_parameters = ["y"] }',
    );
    expect([{ x: 1 }, { y: 1 }, { x: 1, y: 1 }].map((it) => asks(required, it))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("wrapping bounds", () => {
  function wraps(wrapTtlSeconds: number, ...bounds: readonly string[]): boolean {
    const texts = bounds.map((bound) => `path "a" { capabilities = ["read"]\n${bound} }`);
    return may(acl(...texts), { operation: "read", path: "a", wrapTtlSeconds });
  }

  test("ask for wrapping, at least and at most as long", () => {
    expect(wraps(0, "max_wrapping_ttl = 60")).toBe(false);
    expect(wraps(61, "max_wrapping_ttl = 60")).toBe(false);
    expect(wraps(60, "max_wrapping_ttl = 60")).toBe(true);
    expect(wraps(0, "min_wrapping_ttl = 60")).toBe(false);
    expect(wraps(59, "min_wrapping_ttl = 60")).toBe(false);
    expect(wraps(60, "min_wrapping_ttl = 60")).toBe(true);
  });

  test("of several policies are the lesser, and allow nothing where they contradict each other", () => {
    expect(wraps(60, "max_wrapping_ttl = 60", "max_wrapping_ttl = 30")).toBe(false);
    expect(wraps(30, "min_wrapping_ttl = 60", "min_wrapping_ttl = 30", "")).toBe(true);
    expect(wraps(45, "min_wrapping_ttl = 60", "max_wrapping_ttl = 30")).toBe(false);
    expect(wraps(60, "min_wrapping_ttl = 60", "max_wrapping_ttl = 30")).toBe(false);
  });
});

describe("attacks on the path", () => {
  const subject = acl(
    rule("secret/open/*", "read", "list") +
      rule("secret/+/shared", "read") +
      rule("secret/open/hidden/*", "deny"),
  );

  // The pipeline refuses some of these before a policy is asked; none may get by on the policy's side either.
  test.each([
    "secret/open",
    "secret//open/x",
    "/secret/open/x",
    "//secret/open/x",
    "secret/Open/x",
    "SECRET/open/x",
    "secret%2fopen/x",
    "secret/ope%6e/x",
    "secret/open%2fx",
    "secret/op\u0435n/x",
    "secret/open\u200b/x",
    "secret/a/b/shared",
    "secret/a/shared/",
    "secret/shared",
    "secret/a/shared/x",
    "secret/+",
    "secret/*",
    "*",
    "+",
    "",
    "__proto__",
    "constructor",
    "secret/__proto__",
  ])("%j is granted nothing", (path) => {
    for (const operation of ["create", "read", "update", "delete", "patch"] as const) {
      expect(may(subject, { operation, path })).toBe(false);
    }
  });

  test("segments are compared as they are written, so none leads out of a prefix or past a deny unseen", () => {
    // Relative segments are refused by the pipeline; here they are text, and match as text.
    expect(may(subject, { operation: "read", path: "secret/open/../hidden" })).toBe(true);
    expect(may(subject, { operation: "read", path: "secret/other/../open/x" })).toBe(false);
    expect(may(subject, { operation: "read", path: "secret/open/hidden/x" })).toBe(false);
    expect(may(subject, { operation: "list", path: "secret/open/hidden/" })).toBe(false);
  });

  test("normal forms of Unicode are different paths", () => {
    const composed = acl(rule("secret/\u00e9", "read"));
    expect(may(composed, { operation: "read", path: "secret/\u00e9" })).toBe(true);
    expect(may(composed, { operation: "read", path: "secret/e\u0301" })).toBe(false);
  });

  test("patterns called like an object's own workings are patterns like others", () => {
    const odd = acl(rule("__proto__", "read") + rule("__proto__/*", "list") + rule("constructor", "update"));
    expect(odd.capabilities("__proto__")).toEqual(["read"]);
    expect(odd.capabilities("__proto__/x")).toEqual(["list"]);
    expect(Object.keys((odd.describe().exact_paths ?? {}) as JsonObject).sort()).toEqual([
      "__proto__",
      "constructor",
    ]);
    expect(odd.capabilities("toString")).toEqual(["deny"]);
  });

  test("patterns of many wildcards are decided without trying every combination", () => {
    // Thirty pluses and literals on every level: 2^30 ways, if they were all tried.
    const levels = 30;
    const patterns = Array.from({ length: levels }, (_, at) => {
      return Array.from({ length: levels }, (_none, index) => (index === at ? "+" : "a")).join("/");
    });
    const wide = acl(patterns.map((pattern) => rule(`+/${pattern}`, "read")).join(""));
    expect(
      may(wide, {
        operation: "read",
        path: Array(levels + 1)
          .fill("a")
          .join("/"),
      }),
    ).toBe(true);
    expect(
      may(wide, {
        operation: "read",
        path: Array(levels + 1)
          .fill("b")
          .join("/"),
      }),
    ).toBe(false);
  });

  test("very long patterns and paths are matched as short ones are", () => {
    const long = "x".repeat(4000);
    const shorter = Array.from({ length: 800 }, (_, index) => rule(`${"x".repeat(index * 5)}*`, "deny"));
    const subjectOfAll = acl(shorter.join(""), rule(`${long}*`, "read"));
    expect(may(subjectOfAll, { operation: "read", path: `${long}y` })).toBe(true);
    expect(may(subjectOfAll, { operation: "read", path: `${long.slice(1)}y` })).toBe(false);
    const deep = acl(rule(`${"+/".repeat(2000)}a`, "read"));
    expect(may(deep, { operation: "read", path: `${"b/".repeat(2000)}a` })).toBe(true);
  });
});

describe("a description of the rules", () => {
  test("has exact paths and prefixes apart, with all their bounds", () => {
    const subject = acl(`
      path "a" { capabilities = ["read"] required_parameters = ["x"] min_wrapping_ttl = 1 max_wrapping_ttl = 2 }
      path "b/*" { capabilities = ["update", "create"] allowed_parameters = { y = ["1"] } denied_parameters = { z = [] } }
      path "c/+/d" { capabilities = ["list", "deny"] }`);
    expect(subject.describe()).toEqual({
      root: false,
      exact_paths: {
        a: { capabilities: ["read"], min_wrapping_ttl: 1, max_wrapping_ttl: 2, required_parameters: ["x"] },
      },
      glob_paths: {
        "b/": {
          capabilities: ["create", "update"],
          allowed_parameters: { y: ["1"] },
          denied_parameters: { z: [] },
        },
        "c/+/d": { capabilities: ["deny"] },
      },
    });
  });
});
