/**
 * How many requests a second policies decide about. The token holds 10,000 policies of ten paths each. Yardsticks, in turns
 * with it: the same with ten policies, and a plain walk over the list of patterns. And whole requests of a token with one
 * policy, in a store of 10,000 and in one of ten.
 */
import { Acl } from "../src/core/policies/acl.ts";
import { parsePolicy } from "../src/core/policies/parse.ts";
import { decidingPattern } from "../test/core/policies/reference-matcher.ts";
import { interleave, median } from "./measure.ts";
import { requestsAmongPolicies, STORE_REQUESTS } from "./policies-store.ts";
import { type Figure, formatRate } from "./report.ts";

const POLICIES = 10_000;
const FEW = 10;
const ROUNDS = 15;
const CHECKS = 20_000;
const WALKS = 20;
const SAME = 1.2;

/** A team's policy, as people write them: its secrets, its credentials, lists, and a deny or two. */
function policyOf(team: number): string {
  const paths = [
    [`secret/data/team-${team}/*`, "create", "read", "update"],
    [`secret/metadata/team-${team}/*`, "list", "read"],
    [`secret/data/team-${team}/admin/*`, "deny"],
    [`secret/data/+/shared-${team}`, "read"],
    [`secret/+/team-${team}/+/config*`, "read"],
    [`database/creds/team-${team}-ro`, "read"],
    [`database/creds/team-${team}-rw*`, "read"],
    [`pki/issue/team-${team}`, "update"],
    [`transit/encrypt/team-${team}-*`, "update"],
    [`kv-${team}/+/public/*`, "read", "list"],
  ];
  return paths
    .map(([pattern, ...granted]) => `path "${pattern}" { capabilities = ${JSON.stringify(granted)} }\n`)
    .join("");
}

/** Paths that some pattern decides about, and one in five that none does. */
function pathsOf(teams: number): readonly string[] {
  const paths: string[] = [];
  for (let index = 0; paths.length < 5_000; index += 1) {
    const team = (index * 7919) % teams;
    paths.push(
      `secret/data/team-${team}/app/db`,
      `secret/data/other/shared-${team}`,
      `database/creds/team-${team}-rw2`,
      `kv-${team}/x/public/a/b`,
      `secret/nowhere/team-${team}/x`,
    );
  }
  return paths;
}

function aclOf(policies: number): Acl {
  return Acl.of(
    Array.from({ length: policies }, (_, team) => ({
      name: `team-${team}`,
      stanzas: parsePolicy(policyOf(team)).stanzas,
    })),
  );
}

function checker(acl: Acl, paths: readonly string[], checks: number): () => number {
  return () => {
    let allowed = 0;
    for (let index = 0; index < checks; index += 1) {
      const path = paths[index % paths.length] ?? "";
      const decision = acl.check({ operation: "read", path, data: {}, wrapTtlSeconds: 0, sudoPath: false });
      if (decision.allowed) allowed += 1;
    }
    return allowed;
  };
}

function perSecond(count: number, ms: number): string {
  return formatRate((count / ms) * 1000);
}

export async function policiesFigure(): Promise<Figure> {
  const started = performance.now();
  const many = aclOf(POLICIES);
  const compileMs = performance.now() - started;
  const few = aclOf(FEW);
  const patterns = Array.from({ length: POLICIES }, (_, team) =>
    parsePolicy(policyOf(team)).stanzas.map(({ pattern }) => pattern),
  ).flat();
  const manyPaths = pathsOf(POLICIES);
  const fewPaths = pathsOf(FEW);
  const walk = (): void => {
    for (const path of manyPaths.slice(0, WALKS)) decidingPattern(patterns, path, false);
  };
  const [ours = [], small = [], plain = []] = await interleave(
    [
      { label: "many", turn: () => ({ run: checker(many, manyPaths, CHECKS) }) },
      { label: "few", turn: () => ({ run: checker(few, fewPaths, CHECKS) }) },
      { label: "walk", turn: () => ({ run: walk }) },
    ],
    ROUNDS,
  );
  const each = median(ours) / CHECKS;
  const [full = [], sparse = []] = await requestsAmongPolicies([POLICIES, FEW], policyOf);
  return {
    title: `policies: ${POLICIES.toLocaleString("en")} policies of 10 paths in one token, ${many.size.toLocaleString("en")} patterns`,
    rows: [
      { what: "requests decided", value: perSecond(CHECKS, median(ours)) },
      { what: `requests decided, ${FEW} policies`, value: perSecond(CHECKS, median(small)) },
      { what: "requests decided by a walk over all patterns", value: perSecond(WALKS, median(plain)) },
      { what: "reading and compiling all of them, once", value: `${compileMs.toFixed(0)} ms` },
      {
        what: `whole requests of a token with one policy, ${POLICIES} in the store`,
        value: perSecond(STORE_REQUESTS, median(full)),
      },
      { what: `the same, ${FEW} in the store`, value: perSecond(STORE_REQUESTS, median(sparse)) },
    ],
    ratios: [
      {
        what: `a decision among ${POLICIES} policies / among ${FEW}`,
        value: median(ours) / median(small),
        atMost: 6,
      },
      {
        what: `a request with ${POLICIES} policies in the store / with ${FEW}`,
        value: median(full) / median(sparse),
        atMost: SAME,
      },
      { what: "a walk / a decision", value: median(plain) / WALKS / each, atLeast: 1000 },
    ],
  };
}
