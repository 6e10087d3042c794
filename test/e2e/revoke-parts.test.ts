import { afterAll, beforeAll, expect, test } from "bun:test";
import { World } from "./world.ts";

const world = new World();
beforeAll(async () => {
  await world.ok("operator init -seal=key-file");
});
afterAll(() => world.remove());

test.each(["x nonsense", 'x ["a",null,0]'])(
  "a revocation in parts does not go on at a place that no part has given: %j",
  async (after) => {
    const line = ["write", "sys/leases/revoke-prefix/tiny", "part=true", `after=${after}`];
    const { code, stderr } = await world.run(line);
    expect(code).toBe(2);
    expect(stderr).toContain("Code: 400");
    expect(stderr).toContain("after must be what the answer to the part before says");
  },
);
