import { describe, expect, test } from "bun:test";
import { compare } from "../../scripts/docs/compatibility.ts";

/** Parts of the API in which everything is accounted for; each has to have endpoints in the data. */
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
  const { verdicts, unexplained, unneeded } = await compare();

  test("is served, parameter by parameter, or the reason is given", () => {
    expect(unexplained).toEqual([]);
  });

  test("has no reasons for what is served, or for what it does not have", () => {
    expect(unneeded).toEqual([]);
  });

  test.each(PARTS)("%s is among what is compared, and more than half of it is served", (part) => {
    const endpoints = verdicts.filter(({ path }) => path.startsWith(part));
    const served = endpoints.filter((endpoint) => endpoint.served);
    expect(endpoints.length).toBeGreaterThan(0);
    expect(served.length).toBeGreaterThan(endpoints.length / 2);
  });
});
