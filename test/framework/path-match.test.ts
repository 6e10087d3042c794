import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type PathSpec, path } from "../../src/framework/backend.ts";
import { field } from "../../src/framework/field.ts";
import { matchPath, NAME, NAME_WITH_AT, PATH_CHARS_MAX } from "../../src/framework/path-match.ts";

function declare(pattern: string, captures?: Record<string, RegExp>): PathSpec {
  const names = [...pattern.matchAll(/[:*](\w+)/g)].map(([, name]) => name ?? "");
  return path({
    pattern,
    fields: Object.fromEntries(names.map((name) => [name, field.string({ description: name })])),
    ...(captures === undefined ? {} : { captures }),
    help: { synopsis: "A path." },
    operations: { read: { summary: "Read.", handler: async () => undefined } },
  });
}

const backend = {
  paths: [
    declare("roles"),
    declare("roles/:name"),
    declare("roles/default"),
    declare("roles/:name/rotate"),
    declare("mounts/*path"),
    declare("mounts/*path/tune"),
    declare("mounts"),
    declare("cert/:serial", { serial: /[0-9a-f]{2}(?::[0-9a-f]{2})*/ }),
    declare("cert/:name"),
    declare("cert/ca"),
    declare("user/:mail", { mail: NAME_WITH_AT }),
    declare("export/:kind/:name", { kind: /internal|exported/ }),
    declare("tree/:name/:leaf/cut"),
    declare("tree/*path"),
  ],
};

function found(at: string): string | undefined {
  const match = matchPath(backend, at);
  if (match === undefined) return undefined;
  const captured = Object.entries(match.captured).map(([name, value]) => `${name}=${value}`);
  return [match.spec.pattern, ...captured].join(" ");
}

describe("a path is found by its pattern", () => {
  test.each([
    ["roles", "roles"],
    ["roles/", "roles"],
    ["roles/readonly", "roles/:name name=readonly"],
    ["roles/a", "roles/:name name=a"],
    ["roles/a-b.c_d", "roles/:name name=a-b.c_d"],
    ["roles/readonly/", "roles/:name name=readonly"],
    ["roles/default", "roles/default"],
    ["roles/default/rotate", "roles/:name/rotate name=default"],
    ["mounts", "mounts"],
    ["mounts/", "mounts"],
    ["mounts/a", "mounts/*path path=a"],
    ["mounts/a/b", "mounts/*path path=a/b"],
    ["mounts/a/b/tune", "mounts/*path/tune path=a/b"],
    ["mounts/tune", "mounts/*path path=tune"],
    ["mounts/tune/tune", "mounts/*path/tune path=tune"],
    ["mounts/a b/é%2e", "mounts/*path path=a b/é%2e"],
    ["cert/ca", "cert/ca"],
    ["cert/17:ab", "cert/:serial serial=17:ab"],
    ["cert/17", "cert/:serial serial=17"],
    ["cert/crl", "cert/:name name=crl"],
    ["user/bob@example.com", "user/:mail mail=bob@example.com"],
    ["export/internal/x", "export/:kind/:name kind=internal name=x"],
    ["tree/oak/left/cut", "tree/:name/:leaf/cut name=oak leaf=left"],
    ["tree/oak/left/keep", "tree/*path path=oak/left/keep"],
  ])("%s", (at, wanted) => {
    expect(found(at)).toBe(wanted);
  });
});

describe("a path without a pattern is not found", () => {
  test.each([
    "",
    "/",
    "//",
    "role",
    "rolesx",
    "Roles",
    "/roles",
    "roles//",
    "roles//readonly",
    "roles/readonly//",
    "roles/readonly/other",
    "roles/.",
    "roles/..",
    "roles/./readonly",
    "roles/../roles",
    "mounts/..",
    "mounts/a/../b",
    "mounts/a//b",
    "mounts/a/./tune",
    "roles/-a",
    "roles/a-",
    "roles/.a",
    "roles/a.",
    "roles/a b",
    "roles/a\n",
    "roles/a\0",
    "roles/é",
    "roles/%2e%2e",
    "roles/%2e",
    "roles/a%2fb",
    "roles/a@b",
    "roles/a:b",
    "roles/*name",
    "roles/:name",
    "roles/а", // Cyrillic
    "cert/17:ab:",
    "cert/17:AB",
    "export/internalx/x",
    "export/xinternal/x",
    `mounts/${"a".repeat(PATH_CHARS_MAX)}`,
  ])("%j", (at) => {
    expect(found(at)).toBeUndefined();
  });

  test("while a name that objects inherit is a name like any other", () => {
    expect(found("roles/__proto__")).toBe("roles/:name name=__proto__");
    expect(found("constructor")).toBeUndefined();
    expect(found("__proto__")).toBeUndefined();
  });
});

test("a pattern that begins with a capture is tried after those that begin with the word", () => {
  const wild = {
    paths: [declare(":name"), declare("*path"), declare("roles/default"), declare(":name/rotate")],
  };
  const pattern = (at: string) => matchPath(wild, at)?.spec.pattern;
  expect(
    ["a", "roles", "roles/default", "roles/rotate", "a/rotate", "roles/x", "a/b", "é"].map(pattern),
  ).toEqual([":name", ":name", "roles/default", ":name/rotate", ":name/rotate", "*path", "*path", "*path"]);
});

test("the empty pattern is the mount itself", () => {
  const root = { paths: [declare("")] };
  expect(matchPath(root, "")?.captured).toEqual({});
  expect(matchPath(root, "/")).toBeUndefined();
  expect(matchPath(root, "a")).toBeUndefined();
});

test("any path is found or not, and never lends a captured rest with an empty or relative segment", () => {
  const segment = fc.oneof(
    fc.constantFrom("mounts", "roles", "tune", "default", "", ".", "..", "__proto__"),
    fc.string({ unit: "grapheme" }),
  );
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
      const match = matchPath(backend, segments.join("/"));
      for (const [name, value] of Object.entries(match?.captured ?? {})) {
        if (name === "path")
          expect(value.split("/").some((part) => ["", ".", ".."].includes(part))).toBe(false);
        if (name === "name") expect(value).toMatch(NAME);
      }
    }),
  );
});

test("a name of a hundred thousand characters is matched in linear time, and refused by its length", () => {
  const long = "a".repeat(100_000);
  expect(NAME.test(`${long}-`)).toBe(false);
  expect(found(`roles/${long}`)).toBeUndefined();
});

describe("an engine with a wrong pattern fails on its first use", () => {
  const bare = (pattern: string): PathSpec => ({ ...declare(pattern), fields: {} });
  test.each([
    ["a double slash", [declare("a//b")]],
    ["a trailing slash", [declare("a/")]],
    ["a name that is no field", [bare("a/:name")]],
    ["a rest that is no field", [bare("a/*name")]],
    ["a name twice", [declare("a/:x/:x")]],
    ["a name after a rest", [declare("a/*x/:y")]],
    ["two of the same", [declare("a/:x"), declare("a/:y")]],
    ["two rests of the same", [declare("a/*x"), declare("a/*y")]],
  ])("%s", (_name, paths) => {
    expect(() => ["a", "a/x", "a/x/y"].map((at) => matchPath({ paths }, at))).toThrow(TypeError);
  });
});
