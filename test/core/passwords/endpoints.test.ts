import { describe, expect, test } from "bun:test";
import { CoreWorld, dataOf, errorOf } from "../world.ts";

const POLICY =
  'length = 10 rule "charset" { charset = "abc" min-chars = 1 } rule "charset" { charset = "123" min-chars = 2 }';
const NONE = "1 error occurred:\n\t* policy does not exist\n\n";

describe("sys/policies/password", () => {
  test("writes, reads, lists, generates by and deletes a policy", async () => {
    const world = await CoreWorld.create();
    expect((await world.put("sys/policies/password/pins", { policy: POLICY })).status).toBe(204);
    expect(dataOf(await world.get("sys/policies/password/pins"))).toEqual({ policy: POLICY });
    expect(dataOf(await world.send("LIST", "sys/policies/password"))).toEqual({ keys: ["pins"] });
    const { password } = dataOf(await world.get("sys/policies/password/pins/generate"));
    expect(password).toMatch(/^[abc123]{10}$/);
    expect(String(password).replace(/\D/g, "").length).toBeGreaterThanOrEqual(2);
    expect((await world.send("DELETE", "sys/policies/password/pins")).status).toBe(204);
    expect((await world.send("LIST", "sys/policies/password")).status).toBe(404);
  });

  test("takes base64", async () => {
    const world = await CoreWorld.create();
    const policy = Buffer.from(`${POLICY}  `).toString("base64");
    expect((await world.put("sys/policies/password/pins", { policy })).status).toBe(204);
    expect(dataOf(await world.get("sys/policies/password/pins"))).toEqual({ policy: `${POLICY}  ` });
  });

  test.each(["sys/policies/password/none", "sys/policies/password/none/generate"])(
    "answers for one that is not there: %s",
    async (path) => {
      const world = await CoreWorld.create();
      const answer = await world.get(path);
      expect({ status: answer.status, error: errorOf(answer) }).toEqual({ status: 404, error: NONE });
    },
  );

  test.each([
    ["", "missing policy"],
    ["length = 8", "invalid password policy: no charset specified"],
    ['length = 3 rule "charset" { charset = "ab" }', "passwords must be between 4 and 100 characters"],
    ['length = 101 rule "charset" { charset = "ab" }', "passwords must be between 4 and 100 characters"],
    [
      'length = 40 rule "charset" { charset = "a" min-chars = 20 } rule "charset" { charset = "b" min-chars = 20 } rule "charset" { charset = "cdefghijklmnopqrstuvw" }',
      "unable to construct test password from provided policy: are the rules impossible?",
    ],
  ])("%p is refused: %s", async (policy, text) => {
    const world = await CoreWorld.create();
    expect(errorOf(await world.put("sys/policies/password/bad", { policy }))).toBe(text);
  });
});
