import { describe, expect, test } from "bun:test";
import { compare } from "../../scripts/docs/compare.ts";
import { CORE_AREA } from "../../scripts/docs/vault-api.ts";
import { ENGINES } from "../../src/engines/index.ts";

/** Parts of the core's API in which everything is accounted for; each has to have endpoints in the data. */
const PARTS = [
  "sys/mounts",
  "sys/leases",
  "sys/auth",
  "sys/policy",
  "sys/policies/acl",
  "sys/capabilities",
  "sys/audit",
  "sys/wrapping",
  "auth/token",
  "auth/approle",
  "auth/userpass",
  "auth/jwt",
  "identity/entity",
  "cubbyhole",
];

describe("Vault's API", async () => {
  const { compared } = await compare();
  const byArea = compared.map((comparison) => [comparison.area, comparison] as const);

  test.each(byArea)("of %s is served, parameter by parameter, or the reason is given", (_, comparison) => {
    expect(comparison.unexplained).toEqual([]);
  });

  test.each(byArea)(
    "of %s has no reasons for what is served, or for what it does not have",
    (_, comparison) => {
      expect(comparison.unneeded).toEqual([]);
    },
  );

  test.each([...PARTS, ...compared.map(({ area }) => area).filter((area) => area !== CORE_AREA)])(
    "%s is among what is compared, and more than half of it is served",
    (part) => {
      const verdicts = compared.flatMap((comparison) => comparison.verdicts);
      const endpoints = verdicts.filter(({ path }) => path.startsWith(part));
      const served = endpoints.filter((endpoint) => endpoint.served);
      expect(endpoints.length).toBeGreaterThan(0);
      expect(served.length).toBeGreaterThan(endpoints.length / 2);
    },
  );

  test("is compared for every engine that there is", () => {
    const areas = compared.map(({ area }) => area.replace(/-v\d+$/, ""));
    expect(ENGINES.map(({ type }) => type).filter((type) => !areas.includes(type))).toEqual([]);
  });
});
