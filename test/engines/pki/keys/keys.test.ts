import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey } from "node:crypto";
import { dataOf } from "../../../core/world.ts";
import { PkiWorld, YEARS_SECONDS } from "../world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

describe("keys of a mount", () => {
  test("are made, named, listed, renamed, and shown only when they are made to be", async () => {
    const inner = await pki.must("pki/keys/generate/internal", {
      key_type: "ec",
      key_bits: 384,
      key_name: "inner",
    });
    expect(inner).toEqual({ key_id: inner.key_id ?? "", key_name: "inner", key_type: "ec" });
    const shown = await pki.must("pki/keys/generate/exported", { key_type: "ed25519" });
    expect(createPrivateKey(String(shown.private_key)).asymmetricKeyType).toBe("ed25519");
    const { keys, key_info: info } = dataOf(await pki.world.send("LIST", "pki/keys/"));
    expect(keys).toEqual([inner.key_id, shown.key_id].map(String).sort());
    expect(info).toEqual({
      [String(inner.key_id)]: { is_default: true, key_name: "inner" },
      [String(shown.key_id)]: { is_default: false, key_name: "" },
    });
    await pki.must(`pki/key/${shown.key_id}`, { key_name: "shown" });
    expect(await pki.refused(`pki/key/${shown.key_id}`, { key_name: "inner" })).toBe(
      "key name already in use",
    );
    expect(await pki.must("pki/config/keys", { default: "shown" })).toEqual({ default: shown.key_id ?? "" });
    const read = await pki.read("pki/key/shown");
    expect(Object.keys(read).sort()).toEqual(["key_id", "key_name", "key_type", "subject_key_id"]);
  });

  test("become roots with existing, and state the key id that openssl reads", async () => {
    const root = await pki.must("pki/root/generate/existing", {
      common_name: "R",
      key_ref: "inner",
      ttl: YEARS_SECONDS,
    });
    expect(root).not.toHaveProperty("private_key");
    const { subject_key_id: id = "", key_id: keyId = "" } = await pki.read("pki/key/inner");
    expect(root.key_id).toBe(keyId);
    expect(pki.text(String(root.certificate))).toContain(String(id).toUpperCase());
    expect(await pki.refused("pki/root/generate/existing", { common_name: "R", key_ref: "nobody" })).toBe(
      "unable to find PKI key for reference: nobody",
    );
    expect(await pki.refused("pki/root/generate/kms", { common_name: "R" })).toContain("enterprise");
  });

  test("that no issuer needs are deleted, and all of them with the root", async () => {
    expect((await pki.world.send("DELETE", "pki/key/shown")).status).toBe(200);
    expect((await pki.world.get("pki/key/shown")).status).toBe(400);
    expect((await pki.world.send("DELETE", "pki/root")).status).toBe(204);
    expect((await pki.world.send("LIST", "pki/keys/")).status).toBe(404);
    expect((await pki.world.send("LIST", "pki/issuers/")).status).toBe(404);
    // What was issued stays.
    expect((await pki.world.send("LIST", "pki/certs/")).status).toBe(200);
  });

  test("are in no answer that comes later", async () => {
    const root = await pki.must("pki/root/generate/exported", { common_name: "R", key_type: "ec" });
    const lines = String(root.private_key).split("\n").slice(1, -1);
    const answers = [
      await pki.read("pki/issuer/default"),
      await pki.read(`pki/key/${root.key_id}`),
      dataOf(await pki.world.send("LIST", "pki/issuers/")),
    ];
    for (const line of lines) expect(JSON.stringify(answers)).not.toContain(line);
  });
});
