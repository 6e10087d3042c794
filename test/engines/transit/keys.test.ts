import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf } from "../../core/world.ts";
import { base64, TransitWorld } from "./world.ts";

const world = await TransitWorld.create();
const HOUR = 3600;

describe("a key", () => {
  test("is read as Vault shows it", async () => {
    expect(await world.write("keys/plain", {})).toEqual({
      allow_plaintext_backup: false,
      auto_rotate_period: 0,
      deletion_allowed: false,
      derived: false,
      exportable: false,
      imported_key: false,
      keys: { "1": Math.floor(world.core.now / 1000) },
      latest_version: 1,
      min_available_version: 0,
      min_decryption_version: 1,
      min_encryption_version: 0,
      name: "plain",
      supports_decryption: true,
      supports_derivation: true,
      supports_encryption: true,
      supports_signing: false,
      type: "aes256-gcm96",
    });
  });

  test.each([
    ["ecdsa-p256", "P-256", false],
    ["ecdsa-p521", "P-521", false],
    ["rsa-2048", "rsa-2048", true],
  ])("of type %s shows its public half", async (type, name, encrypts) => {
    const { keys, ...rest } = await world.write(`keys/${type}`, { type });
    expect(rest).toMatchObject({
      supports_encryption: encrypts,
      supports_signing: true,
      supports_derivation: false,
    });
    expect(keys).toEqual({
      "1": {
        certificate_chain: "",
        creation_time: "2023-11-14T22:13:20Z",
        name,
        public_key: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----\n/),
      },
    });
  });

  test("of type ed25519 that is derived shows a public half for a context only", async () => {
    await world.write("keys/ed", { type: "ed25519", derived: true });
    const context = base64("a");
    const shown = async (query: JsonObject) =>
      (((await world.read("keys/ed", query)).keys as JsonObject)["1"] as JsonObject).public_key;
    expect(await shown({})).toBe("");
    const { public_key, signature } = await world.write("sign/ed", { input: "AAAA", context });
    expect(await shown({ context })).toBe(public_key ?? null);
    const verify = { input: "AAAA", signature: signature ?? "" };
    expect(await world.write("verify/ed", { ...verify, context })).toEqual({ valid: true });
    expect(await world.write("verify/ed", { ...verify, context: base64("b") })).toEqual({ valid: false });
  });

  test("that is there already stays as it is, with a warning", async () => {
    await world.write("keys/twice", {});
    const { body } = await world.core.put("transit/keys/twice", { type: "rsa-2048" });
    expect(body).toMatchObject({ data: { type: "aes256-gcm96" }, warnings: ["key twice already existed"] });
  });

  test.each([
    [{ type: "nope" }, "unknown key type nope"],
    [{ type: "slh-dsa" }, "keys of type slh-dsa are not offered by vsec"],
    [{ convergent_encryption: true }, "convergent encryption requires derivation to be enabled"],
    [
      { type: "rsa-2048", derived: true },
      "key derivation and convergent encryption not supported for keys of type rsa-2048",
    ],
    [
      { type: "ed25519", derived: true, convergent_encryption: true },
      "key derivation and convergent encryption not supported for keys of type ed25519",
    ],
    [{ auto_rotate_period: "59m" }, "auto rotate period must be 0 to disable or at least an hour"],
    [
      { auto_rotate_period: -1 },
      "Field validation failed: error converting input for field \"auto_rotate_period\": cannot provide negative value '-1'",
    ],
    [{ type: "hmac", key_size: 31 }, "invalid key size for HMAC key, must be between 32 and 512 bytes"],
    [{ type: "hmac", key_size: 513 }, "invalid key size for HMAC key, must be between 32 and 512 bytes"],
    [{ key_size: 32 }, "key_size is only for keys of type hmac, not aes256-gcm96"],
    [
      { derived: "maybe" },
      'Field validation failed: error converting input for field "derived": cannot parse "maybe" as bool',
    ],
  ])("with %j is refused, and is not made", async (body, text) => {
    expect(await world.refusal("keys/refused", body)).toEqual([400, text]);
    expect((await world.core.get("transit/keys/refused")).status).toBe(404);
  });

  test("is listed, and deleted only where that was allowed, with all its versions", async () => {
    await world.write("keys/gone", {});
    await world.write("keys/gone/rotate");
    const refused = [400, "error deleting policy gone: deletion is not allowed for this key"];
    const remove = async () => {
      const { status, body } = await world.core.send("DELETE", "transit/keys/gone");
      return [status, (body as { errors?: string[] } | null)?.errors?.[0]];
    };
    expect(await remove()).toEqual(refused);
    await world.write("keys/gone/config", { deletion_allowed: true });
    expect(await remove()).toEqual([204, undefined]);
    expect(await remove()).toEqual([400, "error deleting policy gone: could not delete key; not found"]);
    const { keys } = dataOf(await world.core.send("LIST", "transit/keys"));
    expect(keys).toContain("plain");
    expect(keys).not.toContain("gone");
  });

  test("that is soft-deleted is of no use until it is restored", async () => {
    await world.write("keys/soft", { auto_rotate_period: HOUR });
    const ciphertext = await world.encrypt("soft", "kept");
    await world.remove("keys/soft/soft-delete");
    const refused = [400, 'key "soft" is soft-deleted; restore it to use it'];
    for (const path of ["encrypt/soft", "keys/soft/rotate", "keys/soft/config", "keys/soft/trim"]) {
      expect([...(await world.refusal(path, { plaintext: "" }))]).toEqual(refused);
    }
    world.core.advance(2 * HOUR);
    await world.core.daemon();
    await world.write("keys/soft/soft-delete-restore");
    expect(await world.decrypt("soft", ciphertext)).toBe("kept");
    expect((await world.read("keys/soft")).latest_version).toBe(1);
  });
});

describe("rotation", () => {
  test("happens by itself when the period has passed, once", async () => {
    await world.write("keys/auto", { auto_rotate_period: "1h" });
    const old = await world.encrypt("auto", "kept");
    world.core.advance(HOUR - 1);
    await world.core.daemon();
    expect((await world.read("keys/auto")).latest_version).toBe(1);
    world.core.advance(1);
    expect((await world.core.daemon()).failed).toBe(0);
    await world.core.daemon();
    expect((await world.read("keys/auto")).latest_version).toBe(2);
    expect(await world.decrypt("auto", old)).toBe("kept");
    // Long after: one version, not one for each hour that nobody looked.
    world.core.advance(100 * HOUR);
    await world.core.daemon();
    await world.core.daemon();
    expect((await world.read("keys/auto")).latest_version).toBe(3);
    await world.write("keys/auto/config", { auto_rotate_period: 0 });
    world.core.advance(100 * HOUR);
    await world.core.daemon();
    expect((await world.read("keys/auto")).latest_version).toBe(3);
  });

  test("by many at once makes a version for each of them", async () => {
    await world.write("keys/raced", {});
    await Promise.all(Array.from({ length: 8 }, () => world.write("keys/raced/rotate")));
    expect((await world.read("keys/raced")).latest_version).toBe(9);
    const ciphertext = await world.encrypt("raced", "x", { key_version: 5 });
    expect(await world.decrypt("raced", ciphertext)).toBe("x");
  });

  test.each(["rotate", "config", "trim"])("with %s of a key that is not there is refused", async (verb) => {
    const text = verb === "config" ? "no existing key named nope could be found" : "key not found";
    expect(await world.refusal(`keys/nope/${verb}`)).toEqual([400, text]);
  });
});

describe("the versions of a key", () => {
  const setUp = async (name: string): Promise<readonly string[]> => {
    await world.write(`keys/${name}`, {});
    const ciphertexts = [await world.encrypt(name, "1")];
    for (const text of ["2", "3", "4"]) {
      await world.write(`keys/${name}/rotate`);
      ciphertexts.push(await world.encrypt(name, text));
    }
    return ciphertexts;
  };
  const TOO_OLD = "ciphertext or signature version is disallowed by policy (too old)";

  test("below the minimum do not decrypt, until it is lowered again", async () => {
    const [first = ""] = await setUp("limits");
    const config = await world.write("keys/limits/config", { min_decryption_version: 3 });
    expect(Object.keys(config.keys as JsonObject)).toEqual(["3", "4"]);
    expect(await world.refusal("decrypt/limits", { ciphertext: first })).toEqual([400, TOO_OLD]);
    const answer = await world.core.put("transit/keys/limits/config", { min_decryption_version: 0 });
    expect(answer.body).toMatchObject({
      data: { min_decryption_version: 1 },
      warnings: ["since Vault 0.3, transit key numbering starts at 1; forcing minimum to 1"],
    });
    expect(await world.decrypt("limits", first)).toBe("1");
  });

  test("below the minimum do not encrypt", async () => {
    await setUp("writes");
    await world.write("keys/writes/config", { min_encryption_version: 3 });
    expect(await world.refusal("encrypt/writes", { plaintext: "", key_version: 2 })).toEqual([
      400,
      "requested version for encryption is less than the minimum encryption key version",
    ]);
    // Nor does what could not be decrypted.
    await world.write("keys/writes/config", { min_encryption_version: 0, min_decryption_version: 3 });
    expect(await world.refusal("encrypt/writes", { plaintext: "", key_version: 2 })).toEqual([
      400,
      "requested version for encryption is less than the minimum decryption key version",
    ]);
    expect(await world.encrypt("writes", "x", { key_version: 3 })).toStartWith("vault:v3:");
    expect(await world.encrypt("writes", "x")).toStartWith("vault:v4:");
  });

  test.each([
    [{ min_decryption_version: -1 }, "min decryption version cannot be negative"],
    [{ min_encryption_version: -1 }, "min encryption version cannot be negative"],
    [{ min_decryption_version: 9 }, "cannot set min decryption version of 9, latest key version is 4"],
    [{ min_encryption_version: 9 }, "cannot set min encryption version of 9, latest key version is 4"],
    [
      { min_encryption_version: 2, min_decryption_version: 3 },
      "cannot set min encryption/decryption values; min encryption version of 2 must be greater than or equal to min decryption version of 3",
    ],
    [{ auto_rotate_period: 1 }, "auto rotate period must be 0 to disable or at least an hour"],
    [
      { min_decryption_version: "x" },
      'Field validation failed: error converting input for field "min_decryption_version": cannot parse "x" as int',
    ],
  ])("stay as they are when the settings are %j", async (body, text) => {
    if ((await world.core.get("transit/keys/checked")).status === 404) await setUp("checked");
    const before = await world.read("keys/checked");
    expect(await world.refusal("keys/checked/config", body)).toEqual([400, text]);
    expect(await world.read("keys/checked")).toEqual(before);
  });

  test("are trimmed for good, and only those that neither encrypt nor decrypt", async () => {
    const ciphertexts = await setUp("trimmed");
    const trim = (min_available_version: unknown) =>
      world.refusal("keys/trimmed/trim", { min_available_version } as JsonObject);
    expect(await world.refusal("keys/trimmed/trim")).toEqual([400, "missing min_available_version"]);
    expect((await trim(-1))[1]).toBe("minimum available version cannot be negative");
    expect((await trim(0))[1]).toBe("minimum available version should be positive");
    expect((await trim(2))[1]).toBe(
      "minimum available version cannot be set when minimum encryption version is not set",
    );
    await world.write("keys/trimmed/config", { min_encryption_version: 3 });
    expect((await trim(4))[1]).toBe(
      "minimum available version cannot be greater than minmum encryption version",
    );
    expect((await trim(2))[1]).toBe(
      "minimum available version cannot be greater than minimum decryption version",
    );
    await world.write("keys/trimmed/config", { min_decryption_version: 3 });
    expect((await world.write("keys/trimmed/trim", { min_available_version: 3 })).min_available_version).toBe(
      3,
    );
    expect((await trim(2))[1]).toBe("minimum available version cannot be decremented");
    expect((await world.refusal("keys/trimmed/config", { min_decryption_version: 1 }))[0]).toBe(400);
    expect(await world.refusal("decrypt/trimmed", { ciphertext: ciphertexts[1] ?? "" })).toEqual([
      400,
      TOO_OLD,
    ]);
    expect(await world.decrypt("trimmed", ciphertexts[2] ?? "")).toBe("3");
  });
});

describe("the settings of the mount", () => {
  test.each([1, 9, -1])("take no cache of %d", async (size) => {
    expect(await world.refusal("cache-config", { size })).toEqual([
      400,
      "size must be 0 or a value greater or equal to 10",
    ]);
  });

  test("take a cache that holds fewer versions than are used", async () => {
    expect(await world.write("cache-config", { size: 10 })).toEqual({ size: 10 });
    expect(await world.read("cache-config")).toEqual({ size: 10 });
    const names = Array.from({ length: 15 }, (_, index) => `cached-${index}`);
    const ciphertexts: string[] = [];
    for (const name of names) ciphertexts.push(await world.encrypt(name, name));
    for (const [index, name] of names.entries()) {
      expect(await world.decrypt(name, ciphertexts[index] ?? "")).toBe(name);
    }
  });
});
