import { describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { aeskwp } from "@noble/ciphers/aes.js";
import type { JsonObject } from "../../../src/base/json.ts";
import { base64, TransitWorld } from "./world.ts";

const world = await TransitWorld.create();
const wrapping = createPublicKey(String((await world.read("wrapping_key")).public_key));

/** A key wrapped for the mount as a client does. */
function wrap(key: Uint8Array, oaepHash = "sha256", target = wrapping): string {
  const aes = randomBytes(32);
  const head = publicEncrypt({ key: target, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, aes);
  return base64(Buffer.concat([head, aeskwp(aes).encrypt(key)]));
}

/** The parts of a backup that are spoiled here. */
interface Backup {
  readonly policy: { readonly record: object };
  readonly archived_keys: { readonly keys: Record<string, object> };
}

const pair = (type: "ec" | "rsa" | "ed25519", options: object) => {
  const { privateKey, publicKey } = generateKeyPairSync(type as "rsa", options as { modulusLength: number });
  return {
    der: privateKey.export({ format: "der", type: "pkcs8" }),
    pem: publicKey.export({ format: "pem", type: "spki" }).toString(),
  };
};
const EC = pair("ec", { namedCurve: "P-256" });
const ED = pair("ed25519", {});
const RSA = pair("rsa", { modulusLength: 2048 });

test("the wrapping key is one of 4096 bits, and stays the same", async () => {
  expect(wrapping.asymmetricKeyDetails?.modulusLength).toBe(4096);
  const again = createPublicKey(String((await world.read("wrapping_key")).public_key));
  expect(again.equals(wrapping)).toBe(true);
});

describe("an imported key", () => {
  const AES = randomBytes(32);

  test.each(["SHA1", "sha-224", "SHA256", "sha384", "SHA-512"])(
    "is unwrapped with %s",
    async (hash_function) => {
      const hash = hash_function.toLowerCase().replace("-", "");
      const name = `aes-${hash}`;
      const ciphertext = wrap(AES, hash);
      await world.write(`keys/${name}/import`, { ciphertext, hash_function, exportable: true });
      expect(await world.exported("encryption-key", name)).toBe(base64(AES));
      expect(await world.read(`keys/${name}`)).toMatchObject({
        imported_key: true,
        imported_key_allow_rotation: false,
        type: "aes256-gcm96",
      });
      expect(await world.refusal(`keys/${name}/rotate`)).toEqual([
        400,
        `imported key ${name} does not allow rotation within Vault`,
      ]);
    },
  );

  test.each([
    ["ecdsa-p256", EC],
    ["ed25519", ED],
    ["rsa-2048", RSA],
  ])("of type %s signs what the other half verifies, and takes versions", async (type, { der, pem }) => {
    await world.write(`keys/${type}/import`, { type, ciphertext: wrap(der), allow_rotation: true });
    // The public half alone, in another key: it verifies, and cannot sign.
    await world.write(`keys/public-${type}/import`, { type, public_key: pem });
    const { signature } = await world.write(`sign/${type}`, { input: "AAAA" });
    expect(await world.write(`verify/public-${type}`, { input: "AAAA", signature: signature ?? "" })).toEqual(
      {
        valid: true,
      },
    );
    expect((await world.refusal(`sign/public-${type}`, { input: "AAAA" }))[1]).toContain(
      "only the public key",
    );
    await world.write(`keys/${type}/rotate`);
    await world.write(`keys/public-${type}/import_version`, { version: 1, ciphertext: wrap(der) });
    expect((await world.write(`sign/public-${type}`, { input: "AAAA" })).key_version).toBe(1);
    await world.write(`keys/${type}/import_version`, { ciphertext: wrap(der) });
    expect((await world.read(`keys/${type}`)).latest_version).toBe(3);
  });

  test.each([
    [{}, "one of the following fields, ciphertext and public_key, must be set"],
    [
      { ciphertext: "AAAA", public_key: "x" },
      "only one of the following fields, ciphertext and public_key, can be set",
    ],
    [{ ciphertext: "!" }, "failed to base64-decode ciphertext"],
    [{ ciphertext: base64(randomBytes(512)) }, "provided ciphertext is too short"],
    [
      { ciphertext: base64(randomBytes(552)) },
      "the ciphertext could not be unwrapped: it was encrypted for another wrapping key, or with another hash_function",
    ],
    [{ ciphertext: wrap(AES), hash_function: "MD5" }, "unsupported hash function name: MD5"],
    [
      { ciphertext: wrap(AES, "sha1") },
      "the ciphertext could not be unwrapped: it was encrypted for another wrapping key, or with another hash_function",
    ],
    [{ ciphertext: wrap(randomBytes(16)) }, "invalid key size 16 bytes for key type aes256-gcm96"],
    [{ ciphertext: wrap(AES), type: "aes128-gcm96" }, "invalid key size 32 bytes for key type aes128-gcm96"],
    [{ ciphertext: wrap(randomBytes(31)), type: "hmac" }, "invalid key size 31 bytes for key type hmac"],
    [{ ciphertext: wrap(AES), type: "ed25519" }, "error parsing asymmetric key: it is not PKCS #8 DER"],
    [{ ciphertext: wrap(EC.der), type: "ecdsa-p384" }, "invalid key type: the key is not of type ecdsa-p384"],
    [{ ciphertext: wrap(RSA.der), type: "rsa-4096" }, "invalid key type: the key is not of type rsa-4096"],
    [{ public_key: RSA.pem }, "provided type aes256-gcm96 does not support public_key import"],
    [{ public_key: "x", type: "rsa-2048" }, "error parsing public key: it is not a public key in PEM"],
    [{ public_key: ED.pem, type: "rsa-2048" }, "invalid key type: the key is not of type rsa-2048"],
    [
      { ciphertext: wrap(AES), auto_rotate_period: 3600 },
      "allow_rotation must be set to true if auto-rotation is enabled",
    ],
    [{ ciphertext: wrap(AES), type: "nope" }, "unknown key type nope"],
    [
      { public_key: ED.pem, type: "ed25519", derived: true },
      "keys are derived from the private key: derived cannot be set with public_key",
    ],
  ])("from %# is refused, and is not there", async (body, text) => {
    expect(await world.refusal("keys/refused/import", body)).toEqual([400, text]);
    expect((await world.core.get("transit/keys/refused")).status).toBe(404);
  });

  test("does not take the place of another, and versions are not added to keys made here", async () => {
    await world.write("keys/own", {});
    expect(await world.refusal("keys/own/import", { ciphertext: wrap(AES) })).toEqual([
      400,
      "the import path cannot be used with an existing key; use import-version to rotate an existing imported key",
    ]);
    expect(await world.refusal("keys/own/import_version", { ciphertext: wrap(AES) })).toEqual([
      400,
      "the import_version endpoint can only be used with an imported key",
    ]);
    expect(await world.refusal("keys/nope/import_version", { ciphertext: wrap(AES) })).toEqual([
      400,
      "no key found with name nope; to import a new key, use the import/ endpoint",
    ]);
  });

  test("takes no private half that is another's", async () => {
    await world.write("keys/half/import", { type: "ecdsa-p256", public_key: EC.pem });
    const other = pair("ec", { namedCurve: "P-256" });
    expect(
      await world.refusal("keys/half/import_version", { version: 1, ciphertext: wrap(other.der) }),
    ).toEqual([400, "the private key does not belong to the public key of version 1"]);
  });
});

describe("an exported key", () => {
  test.each([
    ["ecdsa-p256", "signing-key", "", /^-----BEGIN EC PRIVATE KEY/],
    ["ecdsa-p256", "signing-key", "pem", /^-----BEGIN PRIVATE KEY/],
    ["rsa-2048", "encryption-key", "", /^-----BEGIN RSA PRIVATE KEY/],
    ["rsa-2048", "signing-key", "der", /^MII[A-Za-z0-9+/=]+$/],
    ["rsa-2048", "public-key", "", /^-----BEGIN PUBLIC KEY/],
    ["ed25519", "signing-key", "", /^[A-Za-z0-9+/]{86}==$/],
    ["ed25519", "public-key", "", /^[A-Za-z0-9+/]{43}=$/],
    ["ed25519", "public-key", "pem", /^-----BEGIN PUBLIC KEY/],
    ["hmac", "hmac-key", "", /^[A-Za-z0-9+/]{43}=$/],
    ["aes128-gcm96", "hmac-key", "raw", /^[A-Za-z0-9+/]{43}=$/],
    ["aes128-gcm96", "encryption-key", "raw", /^[A-Za-z0-9+/]{22}==$/],
  ])("of type %s as %s in format %p has its form", async (type, kind, format, form) => {
    await world.write(`keys/x-${type}`, { type });
    expect(await world.exported(kind, `x-${type}`, { format })).toMatch(form);
  });

  test("is refused where it is not exportable, and its public half is not", async () => {
    await world.write("keys/closed", { type: "ecdsa-p256" });
    expect(await world.readRefusal("export/signing-key/closed")).toEqual([
      400,
      "private key material is not exportable",
    ]);
    expect(Object.keys((await world.read("export/public-key/closed")).keys as JsonObject)).toEqual(["1"]);
  });

  test.each([
    ["export/nope/x", 400, "invalid export type: nope"],
    ["export/signing-key/nope", 404, ""],
    ["export/encryption-key/signs", 400, "unknown key type ecdsa-p256 for export type encryption-key"],
    ["export/signing-key/signs/0", 400, "version for export is below minimum decryption version"],
    ["export/signing-key/signs/7", 404, "version does not exist or cannot be found"],
    ["export/signing-key/signs/x", 400, "invalid key version: x"],
    ["export/certificate-chain/signs", 400, "selected key version does not have a certificate chain set"],
    ["byok-export/nope/signs", 400, "no such destination key to export to"],
    ["byok-export/signs/nope", 400, "no such source key for export"],
    ["byok-export/signs/signs", 400, "the destination key is of type ecdsa-p256; it has to be an RSA key"],
  ])("at %s is answered with %d %s", async (at, status, text) => {
    await world.write("keys/signs", { type: "ecdsa-p256", exportable: true });
    expect(await world.readRefusal(at)).toEqual([status, text]);
  });

  test("can go to another store in secret", async () => {
    const there = await TransitWorld.create();
    const pem = String((await there.read("wrapping_key")).public_key);
    await world.write("keys/there/import", { type: "rsa-4096", public_key: pem });
    await world.write("keys/traveller", { exportable: true });
    const ciphertext = await world.encrypt("traveller", "kept");
    const { keys } = await world.read("byok-export/there/traveller");
    await there.write("keys/traveller/import", { ciphertext: (keys as JsonObject)["1"] ?? "" });
    expect(await there.decrypt("traveller", ciphertext)).toBe("kept");
  });
});

describe("a backup", () => {
  test("restores a key elsewhere, under any name, with all its versions", async () => {
    const there = await TransitWorld.create();
    await world.write("keys/saved", { exportable: true });
    const refused = "plaintext backup is disallowed on the policy";
    expect(await world.readRefusal("backup/saved")).toEqual([400, refused]);
    await world.write("keys/saved/config", { allow_plaintext_backup: true });
    const first = await world.encrypt("saved", "one");
    await world.write("keys/saved/rotate");
    const second = await world.encrypt("saved", "two");
    const backup = String((await world.read("backup/saved")).backup);
    expect((await world.read("keys/saved")).backup_info).toEqual({
      time: "2023-11-14T22:13:20Z",
      version: 2,
    });
    await there.write("restore", { backup });
    await there.write("restore/other", { backup });
    for (const name of ["saved", "other"]) {
      expect(await there.decrypt(name, first)).toBe("one");
      expect(await there.decrypt(name, second)).toBe("two");
    }
    expect(await there.refusal("restore", { backup })).toEqual([400, 'key "saved" already exists']);
    await there.write("restore", { backup, force: true });
    expect(await there.decrypt("saved", second)).toBe("two");
  });

  test.each([
    ["", "'backup' must be supplied"],
    ["!", "the backup cannot be read: it is damaged, or not one that vsec made"],
    [base64("{}"), "the backup cannot be read: it is damaged, or not one that vsec made"],
    [
      base64(JSON.stringify({ policy: { v: 1, name: "x", record: {} }, archived_keys: { keys: {} } })),
      "the backup cannot be read: it is damaged, or not one that vsec made",
    ],
  ])("that is %p is refused", async (backup, text) => {
    expect(await world.refusal("restore/x", { backup })).toEqual([400, text]);
  });

  test.each([
    ["lost a version", (backup) => delete backup.archived_keys.keys["1"]],
    [
      "has a version too many",
      (backup) => Object.assign(backup.archived_keys.keys, { 3: backup.archived_keys.keys["1"] }),
    ],
    [
      "has a key that is too short",
      (backup) => Object.assign(backup.archived_keys.keys["1"] ?? {}, { secret: "AAAA" }),
    ],
    [
      "has a key that is no base64",
      (backup) => Object.assign(backup.archived_keys.keys["1"] ?? {}, { hmacKey: 7 }),
    ],
    ["is of a type that is not known", (backup) => Object.assign(backup.policy.record, { type: "nope" })],
    ["is of another type", (backup) => Object.assign(backup.policy.record, { type: "rsa-2048" })],
    ["says neither yes nor no", (backup) => Object.assign(backup.policy.record, { exportable: "yes" })],
    ["decrypts nothing", (backup) => Object.assign(backup.policy.record, { minDecryptionVersion: 9 })],
    ["counts in halves", (backup) => Object.assign(backup.policy.record, { minEncryptionVersion: 0.5 })],
  ] as readonly [string, (backup: Backup) => unknown][])(
    "that %s is refused, and restores nothing",
    async (_, spoil) => {
      if ((await world.core.get("transit/keys/cut")).status === 404) {
        await world.write("keys/cut", { exportable: true, allow_plaintext_backup: true });
        await world.write("keys/cut/rotate");
      }
      const text = Buffer.from(String((await world.read("backup/cut")).backup), "base64").toString();
      const backup = JSON.parse(text) as Backup;
      spoil(backup);
      expect(await world.refusal("restore/x", { backup: base64(JSON.stringify(backup)) })).toEqual([
        400,
        "the backup cannot be read: it is damaged, or not one that vsec made",
      ]);
      expect((await world.core.get("transit/keys/x")).status).toBe(404);
    },
  );

  test.each([
    ["a/b", "key names cannot be paths"],
    ["a b", '"a b" is no name for a key'],
  ])("of a key called %p is refused", async (name, text) => {
    await world.write("keys/named", { exportable: true, allow_plaintext_backup: true });
    const backup = JSON.parse(
      Buffer.from(String((await world.read("backup/named")).backup), "base64").toString(),
    );
    backup.policy.name = name;
    expect(await world.refusal("restore", { backup: base64(JSON.stringify(backup)) })).toEqual([400, text]);
  });

  test("restores keys of every kind", async () => {
    const there = await TransitWorld.create();
    for (const type of ["aes128-gcm96", "chacha20-poly1305", "hmac", "ed25519", "ecdsa-p521", "rsa-2048"]) {
      const body = { type, exportable: true, allow_plaintext_backup: true };
      await world.write(`keys/b-${type}`, body);
      await there.write("restore", { backup: (await world.read(`backup/b-${type}`)).backup ?? "" });
      const { hmac } = await world.write(`hmac/b-${type}`, { input: "AAAA" });
      expect(await there.write(`verify/b-${type}`, { input: "AAAA", hmac: hmac ?? "" })).toEqual({
        valid: true,
      });
    }
  });
});

describe("a certificate", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "vsec-transit-"));
  const file = (name: string, text: string): string => {
    const at = path.join(directory, name);
    writeFileSync(at, text);
    return at;
  };
  const openssl = (...args: string[]): string =>
    execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] }).toString();
  const authority = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const caKey = file("ca.key", authority.privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  openssl("req", "-x509", "-new", "-key", caKey, "-subj", "/CN=ca", "-out", path.join(directory, "ca.crt"));

  test.each(["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"])(
    "of a key of type %s is requested with a template, made by others, and kept with the key",
    async (type) => {
      await world.write(`keys/c-${type}`, { type });
      const template = openssl("req", "-new", "-key", caKey, "-subj", "/CN=signer/O=Example");
      const { csr } = await world.write(`keys/c-${type}/csr`, { csr: template });
      const request = file(`${type}.csr`, String(csr));
      expect(openssl("req", "-in", request, "-verify", "-noout", "-subject")).toContain("CN = signer");
      const ca = ["-CA", path.join(directory, "ca.crt"), "-CAkey", caKey, "-CAcreateserial"];
      const leaf = openssl("x509", "-req", "-in", request, ...ca, "-days", "1");
      const chain = leaf + openssl("x509", "-in", path.join(directory, "ca.crt"));
      await world.write(`keys/c-${type}/set-certificate`, { certificate_chain: chain });
      const { keys } = await world.read(`export/certificate-chain/c-${type}`);
      expect(new X509Certificate(String((keys as JsonObject)["1"])).subject).toContain("CN=signer");
      const other = await world.refusal("keys/x-ecdsa-p256/set-certificate", { certificate_chain: chain });
      expect(other).toEqual([400, "the certificate's public key is not the key's"]);
    },
  );

  test.each([
    ["csr", { csr: "x" }, "could not parse CSR: it is not a certificate request in PEM"],
    ["csr", { version: 9 }, "invalid key version"],
    ["set-certificate", {}, "missing certificate_chain"],
    [
      "set-certificate",
      { certificate_chain: "x" },
      "failed to parse certificate chain: no certificate in PEM found",
    ],
    [
      "set-certificate",
      { certificate_chain: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      "failed to parse certificate chain: a certificate is damaged",
    ],
  ])("is refused at %s with %j", async (verb, body, text) => {
    expect(await world.refusal(`keys/x-ecdsa-p256/${verb}`, body)).toEqual([400, text]);
  });

  test("is not for keys that sign nothing", async () => {
    await world.write("keys/symmetric", {});
    expect((await world.refusal("keys/symmetric/csr"))[1]).toBe(
      "key type aes256-gcm96 does not support certificates",
    );
    rmSync(directory, { recursive: true });
  });
});

test("what is exported of ed25519 is the seed and the public key", async () => {
  const text = await world.exported("signing-key", "x-ed25519");
  const bytes = Buffer.from(text, "base64");
  const pem = await world.exported("signing-key", "x-ed25519", { format: "pem" });
  const { d = "", x = "" } = createPrivateKey(pem).export({ format: "jwk" });
  expect(bytes).toEqual(Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]));
});
