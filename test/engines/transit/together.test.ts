import { expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import type { ApiResponse } from "../../../src/contract/wire.ts";
import { dataOf, errorOf } from "../../core/world.ts";
import { base64, TransitWorld } from "./world.ts";

/*
 * Several processes on one store: each remembers versions of keys, and none may act on what is not so any more.
 */

const world = await TransitWorld.create();
const other = world.core.newCore();
const made = await world.core.put("auth/token/create", { policies: ["root"] });
const token = (made.body as unknown as { auth: { client_token: string } }).auth.client_token;

/** Asks the other process. */
function there(path: string, body: JsonObject = {}): Promise<ApiResponse> {
  return other.handle({ method: "PUT", path: `transit/${path}`, token, body });
}

test("a rotation, a minimum and a trim here hold there at once", async () => {
  await world.write("keys/shared");
  const old = await world.encrypt("shared", "kept");
  expect(dataOf(await there("decrypt/shared", { ciphertext: old })).plaintext).toBe(base64("kept"));
  await world.write("keys/shared/rotate");
  expect(dataOf(await there("encrypt/shared", { plaintext: "" })).key_version).toBe(2);
  await world.write("keys/shared/config", { min_decryption_version: 2, min_encryption_version: 2 });
  const tooOld = "ciphertext or signature version is disallowed by policy (too old)";
  expect(errorOf(await there("decrypt/shared", { ciphertext: old }))).toBe(tooOld);
  await world.write("keys/shared/trim", { min_available_version: 2 });
  expect(errorOf(await there("decrypt/shared", { ciphertext: old }))).toBe(tooOld);
});

test("a key that was deleted and made anew is another key there as well", async () => {
  await world.write("keys/reborn");
  const old = await world.encrypt("reborn", "x");
  expect((await there("decrypt/reborn", { ciphertext: old })).status).toBe(200);
  await world.write("keys/reborn/config", { deletion_allowed: true });
  await world.remove("keys/reborn");
  expect(errorOf(await there("decrypt/reborn", { ciphertext: old }))).toBe("encryption key not found");
  await world.write("keys/reborn");
  expect(errorOf(await there("decrypt/reborn", { ciphertext: old }))).toBe(
    "cipher: message authentication failed",
  );
});

test("many that encrypt with a key that is not there make one key", async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => {
      const body = { plaintext: base64(String(index)) };
      return index % 2 === 0
        ? there("encrypt/upserted", body)
        : world.core.put("transit/encrypt/upserted", body);
    }),
  );
  for (const [index, answer] of answers.entries()) {
    expect(await world.decrypt("upserted", String(dataOf(answer).ciphertext))).toBe(String(index));
  }
  expect((await world.read("keys/upserted")).latest_version).toBe(1);
});

test("a key that is due is rotated once by two workers", async () => {
  await world.write("keys/due", { auto_rotate_period: 3600 });
  world.core.advance(3600);
  await Promise.all([world.core.daemon(), world.core.daemon()]);
  expect((await world.read("keys/due")).latest_version).toBe(2);
});
