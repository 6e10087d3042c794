import { afterAll, describe, expect, test } from "bun:test";
import { World } from "../e2e/world.ts";
import { INIT_PASSES } from "./operations.ts";

const worlds: World[] = [];
afterAll(() => {
  for (const world of worlds) world.remove();
});

/** A machine on which `operator init` was killed. */
async function killedInit(failpoint: string): Promise<World> {
  const world = new World("vsec-failpoints");
  worlds.push(world);
  const { signal, stdout } = await world.run("operator init -seal=key-file", {
    env: { VSEC_FAILPOINT: failpoint },
  });
  expect({ signal, stdout }).toEqual({ signal: "SIGKILL", stdout: "" });
  return world;
}

describe("operator init", () => {
  test("passes exactly the failpoints that its kills are tried at", async () => {
    const world = new World("vsec-failpoints");
    worlds.push(world);
    await world.ok("operator init -seal=key-file", { env: { VSEC_FAILPOINT_LOG: "failpoints" } });
    expect(await Bun.file(`${world.home}/failpoints`).text()).toBe(`${INIT_PASSES.join("\n")}\n`);
  });

  test.each(INIT_PASSES.filter((name) => name !== "store:committed"))(
    "killed at %s has made no store, and can be done again",
    async (failpoint) => {
      const world = await killedInit(failpoint);
      expect((await world.run("operator init -status")).stdout).toBe("Vault is not initialized\n");
      await world.ok("operator init -seal=key-file");
      expect(await world.ok("secrets enable database")).toBe(
        "Success! Enabled the database secrets engine at: database/\n",
      );
    },
  );

  test("killed after its commit has made a whole store, which opens and is not made again", async () => {
    const world = await killedInit("store:committed");
    expect(await world.json("status")).toMatchObject({ initialized: true, sealed: false });
    expect((await world.run("operator init -seal=key-file")).code).toBe(2);
  });
});
