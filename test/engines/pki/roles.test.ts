import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf } from "../../core/world.ts";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
  await pki.root();
});
afterAll(() => pki.remove());

describe("the sizes of a role", () => {
  test.each<[given: JsonObject, keyBits: number, hashBits: number]>([
    [{}, 2048, 256],
    [{ key_type: "rsa", key_bits: 3072, signature_bits: 512 }, 3072, 512],
    [{ key_type: "ec" }, 256, 0],
    [{ key_type: "ec", key_bits: 384 }, 384, 0],
    [{ key_type: "ed25519" }, 0, 0],
    [{ key_type: "any" }, 0, 0],
    // As Terraform writes it, whatever the type.
    [{ key_type: "any", key_bits: 2048 }, 2048, 0],
    [{ key_type: "ed25519", key_bits: 2048 }, 2048, 0],
  ])("of %j are shown as they will be: %d and %d", async (given, keyBits, hashBits) => {
    const shown = { key_bits: keyBits, signature_bits: hashBits };
    expect(await pki.must("pki/roles/r", { allow_any_name: true, ...given })).toMatchObject(shown);
    expect(await pki.read("pki/roles/r")).toMatchObject(shown);
    const { csr } = pki.csr("/CN=a.example.com");
    if (given.key_type === "any") await pki.must("pki/sign/r", { csr });
    if (given.key_type === "ed25519") await pki.must("pki/issue/r", { common_name: "a.example.com" });
  });

  test("follow the type of key when a patch changes it", async () => {
    await pki.must("pki/roles/p", { allow_any_name: true });
    const patched = async (changes: JsonObject): Promise<JsonObject> =>
      dataOf(await pki.world.send("PATCH", "pki/roles/p", { body: changes }));
    expect(await patched({ key_type: "ec" })).toMatchObject({
      key_type: "ec",
      key_bits: 256,
      signature_bits: 0,
    });
    expect(await patched({ key_bits: 384 })).toMatchObject({ key_type: "ec", key_bits: 384 });
    expect(await patched({ key_type: "ec", ttl: "1h" })).toMatchObject({ key_bits: 384, ttl: 3600 });
    expect(await patched({ key_type: "rsa", key_bits: 4096 })).toMatchObject({
      key_bits: 4096,
      signature_bits: 256,
    });
  });
});
