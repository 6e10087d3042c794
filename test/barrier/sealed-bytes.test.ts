import { describe, expect, test } from "bun:test";
import { hasCode } from "../../src/base/errors.ts";
import { beginnings, flips, newWorld, text, untext } from "./world.ts";

describe("bytes that leave the store sealed", () => {
  test("come back as they were, in other processes and after a rotation too", async () => {
    const world = await newWorld();
    const sealed = world.barrier.seal("passes", text("what it says"));
    await world.barrier.rotate();
    const other = await world.open();
    expect(untext((await other.open("passes", sealed)) ?? undefined)).toBe("what it says");
    // Sealed under a term that the first process has not seen yet.
    await other.rotate();
    const later = other.seal("passes", text("later"));
    expect(untext((await world.barrier.open("passes", later)) ?? undefined)).toBe("later");
  });

  test("are different each time and show nothing", async () => {
    const { barrier } = await newWorld();
    const [one, two] = [barrier.seal("passes", text("secret")), barrier.seal("passes", text("secret"))];
    expect(Buffer.from(one).equals(two)).toBe(false);
    expect(Buffer.from(one).includes("secret")).toBe(false);
  });

  test("are opened for their own purpose and by their own store alone", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const sealed = world.barrier.seal("passes", text("x"));
    expect(await world.barrier.open("others", sealed)).toBeNull();
    expect(await other.barrier.open("passes", sealed)).toBeNull();
  });

  test("are refused when a single bit is another, or the end is missing", async () => {
    const { barrier } = await newWorld();
    const sealed = barrier.seal("passes", text("x"));
    for (const changed of [...flips(sealed), ...beginnings(sealed)]) {
      expect(await barrier.open("passes", changed)).toBeNull();
    }
  });

  test("are no entry's value, and no entry's value is one of them", async () => {
    const { barrier, storage } = await newWorld();
    await barrier.commit([{ op: "put", key: "passes", value: text("x") }]);
    const [stored] = (await storage.scan("", { limit: 10 })).entries.filter(
      ({ key }) => !key.startsWith("_/"),
    );
    expect(await barrier.open("passes", stored?.value ?? new Uint8Array())).toBeNull();
    const key = stored?.key ?? "";
    await storage.commit([{ op: "put", key, value: barrier.seal("passes", text("y")) }]);
    const error = await barrier.get("passes").catch((thrown: unknown) => thrown);
    expect(hasCode(error, "BARRIER_DAMAGED")).toBe(true);
  });
});
