import { expect, test } from "bun:test";
import { openMemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { type OpenedStorage, storageContract } from "./contract.ts";
import { put } from "./entries.ts";
import { checkAgainstModel } from "./model.ts";

async function open(): Promise<OpenedStorage> {
  const storage = openMemoryStorage();
  return { storage, dispose: () => storage.close() };
}

storageContract("memory", open);

test("the memory store answers random commands as the model does", () => checkAgainstModel(open), 60_000);

test("a memory store that was closed still has its entries, as a disk would", async () => {
  const storage = openMemoryStorage();
  await storage.commit([put("a")]);
  await storage.close();
  expect(await storage.get("a")).not.toBeNull();
});
