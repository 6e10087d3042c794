import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Acl } from "../../../src/core/policies/acl.ts";
import { parsePolicy } from "../../../src/core/policies/parse.ts";
import type { Operation } from "../../../src/framework/backend.ts";
import { capabilitiesOn, type PlainStanza } from "./reference-matcher.ts";

const RUNS = process.env.SLOW === "1" ? 50_000 : 1_000;
const TIMEOUT_MS = 300_000;

// Few different segments, so that patterns and paths meet, and the awkward ones among them.
const SEGMENT = fc.constantFrom(
  "a",
  "b",
  "ab",
  "abc",
  "A",
  "é",
  "😀",
  "+b",
  "b+",
  "*",
  "",
  "__proto__",
  "%2e",
);
const PATTERN = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: SEGMENT }, { weight: 2, arbitrary: fc.constant("+") }), {
      maxLength: 5,
    }),
    fc.constantFrom("", "*", "*", "/", "a*"),
  )
  .map(([segments, end]) => segments.join("/") + end)
  .filter((pattern) => !pattern.includes("+*") && !pattern.startsWith("/"));
const PATH = fc
  .tuple(fc.array(SEGMENT, { minLength: 1, maxLength: 6 }), fc.constantFrom("", "", "/"))
  .map(([segments, end]) => segments.join("/") + end);
/** Patterns that are likely to match a path: some of its segments as `+`, cut off with a `*`, its last slash off or on. */
function patternNear(path: string): fc.Arbitrary<string> {
  const segments = path.split("/");
  return fc
    .tuple(
      fc.array(fc.boolean(), { minLength: segments.length, maxLength: segments.length }),
      fc.option(fc.nat(path.length), { nil: undefined }),
      fc.boolean(),
    )
    .map(([pluses, cut, turnSlash]) => {
      const pattern = segments.map((segment, index) => (pluses[index] ? "+" : segment)).join("/");
      if (cut !== undefined) return `${pattern.slice(0, cut)}*`;
      if (!turnSlash) return pattern;
      return pattern.endsWith("/") ? pattern.slice(0, -1) : `${pattern}/`;
    })
    .filter((pattern) => !pattern.includes("+*") && !pattern.startsWith("/") && pattern.isWellFormed());
}

const CAPABILITY = fc.constantFrom("create", "read", "update", "delete", "list", "patch", "sudo", "deny");

function stanzas(patterns: fc.Arbitrary<string>): fc.Arbitrary<PlainStanza[]> {
  const stanza = fc.record({ pattern: patterns, capabilities: fc.uniqueArray(CAPABILITY, { maxLength: 3 }) });
  return fc.array(stanza, { maxLength: 8 });
}

/** A path, and policies of which many have something to say about it. */
const CASE = PATH.chain((path) => {
  const near = stanzas(fc.oneof({ weight: 4, arbitrary: patternNear(path) }, PATTERN));
  return fc.record({ path: fc.constant(path), policies: fc.array(near, { maxLength: 3 }) });
});
const OPERATIONS: readonly Operation[] = ["create", "read", "update", "delete", "list", "patch"];

function textOf(stanzas: readonly PlainStanza[]): string {
  return stanzas
    .map(({ pattern, capabilities }) => {
      return `path ${JSON.stringify(pattern)} { capabilities = ${JSON.stringify(capabilities)} }\n`;
    })
    .join("");
}

describe("the matcher", () => {
  test(
    "allows what the rules, followed literally, allow, and nothing else",
    () => {
      fc.assert(
        fc.property(CASE, ({ policies, path }) => {
          const acl = Acl.of(
            policies.map((written, index) => ({ name: `p${index}`, ...parsePolicy(textOf(written)) })),
          );
          for (const operation of OPERATIONS) {
            for (const sudoPath of [false, true]) {
              const capabilities = capabilitiesOn(policies.flat(), path, operation === "list");
              const wanted = capabilities.includes(operation) && (!sudoPath || capabilities.includes("sudo"));
              const decision = acl.check({ operation, path, data: {}, wrapTtlSeconds: 0, sudoPath });
              expect([operation, decision.allowed]).toEqual([operation, wanted]);
              expect(decision.sudo).toBe(capabilities.includes("sudo"));
              expect(decision.grantingPolicies.length > 0).toBe(wanted);
            }
          }
          const shown = capabilitiesOn(policies.flat(), path, true);
          expect(acl.capabilities(path)).toEqual(shown.length === 0 ? ["deny"] : [...shown]);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );

  test(
    "decides the same whatever the order of the policies",
    () => {
      fc.assert(
        fc.property(CASE, ({ policies, path }) => {
          const all = policies.flat();
          const there = Acl.of([{ name: "p", ...parsePolicy(textOf(all)) }]);
          const back = Acl.of([{ name: "p", ...parsePolicy(textOf(all.toReversed())) }]);
          expect(back.capabilities(path)).toEqual(there.capabilities(path));
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );
});
