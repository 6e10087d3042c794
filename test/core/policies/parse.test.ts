import { describe, expect, test } from "bun:test";
import { HclError } from "../../../src/base/hcl/error.ts";
import { DEFAULT_POLICY } from "../../../src/core/policies/builtin.ts";
import { parsePolicy } from "../../../src/core/policies/parse.ts";

function errorOf(text: string): string {
  try {
    parsePolicy(text);
    return "none";
  } catch (error) {
    if (error instanceof HclError) return error.message;
    throw error;
  }
}

/** Patterns with their capabilities, as lists. */
function grants(text: string): readonly [string, readonly string[]][] {
  return parsePolicy(text).stanzas.map(({ pattern, rule }) => [pattern, [...rule.capabilities].sort()]);
}

describe("a policy's text", () => {
  test("may be HCL, with every key", () => {
    const [stanza] = parsePolicy(`
      name = "apps"
      path "/secret/data/*" {
        capabilities         = ["read", "update"]
        allowed_parameters   = { "Role" = ["a", 1, true, ["x"]], "*" = [] }
        denied_parameters    { policies = ["root"] }
        required_parameters  = ["TTL"]
        min_wrapping_ttl     = "1m"
        max_wrapping_ttl     = 90
        subscribe_event_types = ["kv*"]
      }`).stanzas;
    expect(stanza).toEqual({
      pattern: "secret/data/*",
      isTemplated: false,
      rule: {
        capabilities: new Set(["read", "update"] as const),
        allowed: new Map([
          ["role", ["a", 1, true, ["x"]]],
          ["*", []],
        ]),
        denied: new Map([["policies", ["root"]]]),
        required: new Set(["ttl"]),
        minWrappingTtlSeconds: 60,
        maxWrappingTtlSeconds: 90,
      },
    });
  });

  test.each([
    ["an object of patterns", '{"path":{"a":{"capabilities":["read"]},"b":{"capabilities":["list"]}}}'],
    ["a list of objects", '{"path":[{"a":{"capabilities":["read"]}},{"b":{"capabilities":["list"]}}]}'],
    ["lists within", '{"name":"x","path":{"a":[{"capabilities":["read"]}],"b":[{"capabilities":["list"]}]}}'],
    ["a repeated key", '{"path":{"a":{"capabilities":["read"]}},"path":{"b":{"capabilities":["list"]}}}'],
    ["HCL with an object", 'path = { a = { capabilities = ["read"] } "b" { capabilities = ["list"] } }'],
  ])("may have the form of %s", (_name, text) => {
    expect(grants(text)).toEqual([
      ["a", ["read"]],
      ["b", ["list"]],
    ]);
  });

  test.each([
    ["deny", ["deny"]],
    ["read", ["list", "read"]],
    ["write", ["create", "delete", "list", "read", "update"]],
    ["sudo", ["create", "delete", "list", "read", "sudo", "update"]],
  ])("may use the older word %s", (word, capabilities) => {
    expect(grants(`path "a" { policy = "${word}" }`)).toEqual([["a", capabilities]]);
  });

  test("unites the older word with capabilities", () => {
    expect(grants('path "a" { capabilities = ["sudo"] policy = "read" }')).toEqual([
      ["a", ["list", "read", "sudo"]],
    ]);
  });

  test("keeps nothing of a block that denies but the deny", () => {
    const [stanza] = parsePolicy(
      'path "a" { capabilities = ["read", "deny"] required_parameters = ["x"] }',
    ).stanzas;
    expect([...(stanza?.rule.capabilities ?? [])]).toEqual(["deny"]);
    expect(stanza?.rule.required.size).toBe(0);
  });

  test.each([
    [
      'path "x" {\n  capabilities = ["read", "y"]\n}',
      'path "x": invalid capability "y" on line 2, column 27',
    ],
    ['path "x" { capabilities = ["Read"] }', 'path "x": invalid capability "Read" on line 1, column 28'],
    ['path "x" { capabilities = ["root"] }', 'path "x": invalid capability "root" on line 1, column 28'],
    ['path "x" { capabilities = ["scan"] }', 'path "x": invalid capability "scan" on line 1, column 28'],
    ['path "x" { policy = "y" }', 'path "x": invalid policy "y" on line 1, column 21'],
    ['path "a/+*" {}', "path \"a/+*\": invalid use of wildcards ('+*' is forbidden) on line 1, column 6"],
    [
      'path "x" {\n min_wrapping_ttl = "2m"\n max_wrapping_ttl = "1m"\n}',
      'path "x": max_wrapping_ttl cannot be less than min_wrapping_ttl on line 3, column 2',
    ],
    ["\n\nk = 1", 'invalid key "k" on line 3, column 1'],
    ['paths "x" {}', 'invalid key "paths" on line 1, column 1'],
    ['Path "x" {}', 'invalid key "Path" on line 1, column 1'],
    ["__proto__ = 1", 'invalid key "__proto__" on line 1, column 1'],
    ['path "x" {\n  capabilites = ["read"]\n}', 'path "x": invalid key "capabilites" on line 2, column 3'],
    ['path "x" { comment = "c" }', 'path "x": invalid key "comment" on line 1, column 12'],
    ['path "x" { constructor = [] }', 'path "x": invalid key "constructor" on line 1, column 12'],
    ['{"path":\n {"x": {"k": 1}}}', 'path "x": invalid key "k" on line 2, column 9'],
    [
      'path "x" { capabilities = "read" }',
      'path "x": "capabilities" must be a list of strings on line 1, column 27',
    ],
    [
      'path "x" { capabilities = [1] }',
      'path "x": "capabilities" must be a list of strings on line 1, column 28',
    ],
    [
      'path "x" { capabilities = [] capabilities = [] }',
      'path "x": key "capabilities" is given twice on line 1, column 30',
    ],
    [
      'path "x" { max_wrapping_ttl = "-1m" }',
      'path "x": a wrapping TTL must be a duration of 0 or more on line 1, column 31',
    ],
    [
      'path "x" { max_wrapping_ttl = "soon" }',
      'path "x": a wrapping TTL must be a duration of 0 or more on line 1, column 31',
    ],
    [
      'path "x" { allowed_parameters = { a = "b" } }',
      'path "x": parameter "a" must have a list of values on line 1, column 35',
    ],
    [
      'path "x" { denied_parameters = { a = [] A = [] } }',
      'path "x": parameter "A" is given twice on line 1, column 41',
    ],
    [
      'path "x" { mfa_methods = ["m"] }',
      'path "x": "mfa_methods" cannot be kept: there is no multi-factor authentication in vsec on line 1, column 12',
    ],
    [
      'path "x" { control_group = {} }',
      'path "x": "control_group" cannot be kept: there are no control groups in vsec on line 1, column 12',
    ],
    [
      'path "x/{{identity.entity.id" {}',
      'path "x/{{identity.entity.id": unbalanced templating characters on line 1, column 6',
    ],
    ['path "x/}}{{" {}', 'path "x/}}{{": unbalanced templating characters on line 1, column 6'],
    ['path "x" "y" {}', 'path "x": a path has one pattern on line 1, column 10'],
    ["path = 1", "path: expected a block on line 1, column 8"],
    ['{"path": {"x": ["y"]}}', 'path "x": expected a block on line 1, column 17'],
    ["[]", 'expected a key, got "[" on line 1, column 1'],
    [
      `path "${"a".repeat(4097)}" {}`,
      `path "${"a".repeat(80)}…": longer than 4096 characters on line 1, column 6`,
    ],
  ])("is refused, with line and column: %j", (text, message) => {
    expect(errorOf(text)).toBe(message);
  });

  test("is refused above 20,000 paths", () => {
    const block = 'path "x" { policy = "read" }\n';
    expect(errorOf(block.repeat(20_000))).toBe("none");
    expect(errorOf(block.repeat(20_001))).toBe("more than 20000 paths in one policy on line 20001, column 1");
  });

  test("does not lose a wrapping bound below a second", () => {
    const [stanza] = parsePolicy('path "x" { max_wrapping_ttl = "500ms" }').stanzas;
    expect(stanza?.rule.maxWrappingTtlSeconds).toBe(0.5);
  });
});

describe("the built-in default policy", () => {
  test("grants what Vault's does, and to give back leases of one's own", () => {
    const update = ["update"];
    expect(Object.fromEntries(grants(DEFAULT_POLICY))).toEqual({
      "auth/token/lookup-self": ["read"],
      "auth/token/renew-self": update,
      "auth/token/revoke-self": update,
      "sys/capabilities-self": update,
      "identity/entity/id/{{identity.entity.id}}": ["read"],
      "identity/entity/name/{{identity.entity.name}}": ["read"],
      "sys/internal/ui/resultant-acl": ["read"],
      "sys/renew": update,
      "sys/leases/renew": update,
      "sys/leases/release": update,
      "sys/leases/lookup": update,
      "cubbyhole/*": ["create", "delete", "list", "read", "update"],
      "sys/wrapping/wrap": update,
      "sys/wrapping/lookup": update,
      "sys/wrapping/unwrap": update,
      "sys/tools/hash": update,
      "sys/tools/hash/*": update,
      "sys/control-group/request": update,
      "identity/oidc/provider/+/authorize": ["read", "update"],
    });
  });
});
