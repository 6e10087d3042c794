import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { encodeSealConfig } from "../../src/barrier/seal-config.ts";
import { chooseSeal, loadPassphraseSeal, loadSeal } from "../../src/barrier/seals/index.ts";
import { SEAL_TYPES, type SealConfig, WHOLE_KEY_SEALS } from "../../src/barrier/seals/port.ts";
import { Secret } from "../../src/base/secret.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { temporaryDirectories } from "../platform/temp.ts";
import { sealWorld } from "./seal-world.ts";
import vectors from "./vectors.json";
import { codeOf, flips, OTHER_STORE_ID, STORE_ID } from "./world.ts";

const newDirectory = temporaryDirectories();
const rootKey = Buffer.from(vectors.rootKey, "hex");
const sealKey = vectors.seals.sealKey;
const ENV = { VSEC_SEAL_KEY: sealKey, VSEC_PASSPHRASE: vectors.seals.passphrase };
const envVector = vectors.seals.env as SealConfig;
const passphraseVector = vectors.seals.passphraseConfig as SealConfig;

/** The configuration with some parameters replaced, or left out where the replacement is undefined. */
function withParams(config: SealConfig, params: Readonly<Record<string, unknown>>): SealConfig {
  return { ...config, params: JSON.parse(JSON.stringify({ ...config.params, ...params })) };
}

describe.each([...WHOLE_KEY_SEALS])("the %s seal", (type) => {
  test("gives back the root key that it protects, and its configuration does not hold it", async () => {
    const world = sealWorld(newDirectory()).withEnv(ENV);
    const seal = await loadSeal(type, world);
    expect(seal.type).toBe(type);
    const config = await seal.protect(rootKey, STORE_ID);
    expect(config).toMatchObject({ type, storeId: STORE_ID });
    const stored = encodeSealConfig(config).toString();
    expect(stored).not.toContain(rootKey.toString("base64").slice(0, 12));
    expect(Buffer.from((await seal.open(config)) ?? []).toString("hex")).toBe(vectors.rootKey);
    // And in another process, from what was stored.
    const read = JSON.parse(stored) as SealConfig;
    const other = await loadSeal(type, world.withEnv(ENV));
    expect(Buffer.from((await other.open(read)) ?? []).toString("hex")).toBe(vectors.rootKey);
  });

  test("refuses the configuration of another type, or with another store's check", async () => {
    const world = sealWorld(newDirectory()).withEnv(ENV);
    const seal = await loadSeal(type, world);
    const config = await seal.protect(rootKey, STORE_ID);
    for (const other of SEAL_TYPES.filter((name) => name !== type)) {
      const foreign = { ...config, type: other };
      expect(await codeOf(() => seal.open(foreign))).toBe("BARRIER_DAMAGED");
      expect(await codeOf(() => seal.forget(foreign))).toBe("BARRIER_DAMAGED");
    }
    const check = systemRandom.bytes(16);
    const wrong = withParams(config, { check: Buffer.from(check).toString("base64") });
    expect(await codeOf(() => seal.open(wrong))).toBe("SEAL_WRONG_KEY");
    for (const bad of [undefined, "", "AAAA", "not base64", 7, null, "x".repeat(5000)]) {
      expect(await codeOf(() => seal.open(withParams(config, { check: bad })))).toBe("BARRIER_DAMAGED");
    }
  });

  test("forgets what it left outside of the store, and does not mind when nothing is left", async () => {
    const world = sealWorld(newDirectory()).withEnv(ENV);
    const seal = await loadSeal(type, world);
    const config = await seal.protect(rootKey, STORE_ID);
    await seal.forget(config);
    expect([...world.keychain.items.keys()]).toEqual([]);
    expect(existsSync(join(world.directories.config, "keys", `${STORE_ID}.key`))).toBe(false);
    await seal.forget(config);
  });
});

describe("the keychain seal", () => {
  test("says what to do when the keychain is away, locked, or has another store's key", async () => {
    const world = sealWorld(newDirectory());
    const seal = await loadSeal("keychain", world);
    const config = await seal.protect(rootKey, STORE_ID);
    expect([...world.keychain.items.keys()]).toEqual([`vsec/${STORE_ID}`]);
    for (const value of ["", "x", Buffer.from(systemRandom.bytes(32)).toString("base64")]) {
      world.keychain.items.set(`vsec/${STORE_ID}`, value);
      expect(await codeOf(() => seal.open(config))).toBe("SEAL_WRONG_KEY");
    }
    world.keychain.items.clear();
    expect(await codeOf(() => seal.open(config))).toBe("SEAL_UNAVAILABLE");
    world.keychain.answers = false;
    expect(await codeOf(() => seal.open(config))).toBe("SEAL_UNAVAILABLE");
    expect(await codeOf(() => seal.protect(rootKey, STORE_ID))).toBe("SEAL_UNAVAILABLE");
  });

  test("does not trust a keychain that keeps nothing", async () => {
    const world = sealWorld(newDirectory());
    world.keychain.set = async () => undefined;
    const seal = await loadSeal("keychain", world);
    expect(await codeOf(() => seal.protect(rootKey, STORE_ID))).toBe("SEAL_UNAVAILABLE");
  });
});

describe("the key file seal", () => {
  const pathOf = (config: SealConfig): string => String(config.params.path);

  test("writes one line that only its owner can read, where the configuration lives", async () => {
    const world = sealWorld(newDirectory());
    const config = await (await loadSeal("key-file", world)).protect(rootKey, STORE_ID);
    expect(pathOf(config)).toBe(join(world.directories.config, "keys", `${STORE_ID}.key`));
    expect(statSync(pathOf(config)).mode & 0o777).toBe(0o600);
    expect(statSync(join(pathOf(config), "..")).mode & 0o777).toBe(0o700);
    expect(readFileSync(pathOf(config), "utf8")).toBe(vectors.seals.keyFile);
  });

  test("writes where VSEC_SEAL_KEY_FILE says, and never over a file", async () => {
    const file = join(newDirectory(), "my.key");
    const world = sealWorld(newDirectory()).withEnv({ VSEC_SEAL_KEY_FILE: file });
    const seal = await loadSeal("key-file", world);
    const config = await seal.protect(rootKey, STORE_ID);
    expect(pathOf(config)).toBe(file);
    expect(await codeOf(() => seal.protect(systemRandom.bytes(32), OTHER_STORE_ID))).toBe("FILE");
    expect(readFileSync(file, "utf8")).toBe(vectors.seals.keyFile);
    // The store knows where its key is.
    const later = await loadSeal("key-file", sealWorld(newDirectory()));
    expect(Buffer.from((await later.open(config)) ?? []).toString("hex")).toBe(vectors.rootKey);
  });

  test("is found where VSEC_SEAL_KEY_FILE says when it was moved, and the variable may name another store's", async () => {
    const directory = newDirectory();
    const config = await (await loadSeal("key-file", sealWorld(directory))).protect(rootKey, STORE_ID);
    const moved = join(newDirectory(), "moved.key");
    const opened = async (file: string) => {
      const seal = await loadSeal("key-file", sealWorld(directory).withEnv({ VSEC_SEAL_KEY_FILE: file }));
      return Buffer.from((await seal.open(config)) ?? []).toString("hex");
    };
    const other = join(newDirectory(), "other.key");
    const otherStore = sealWorld(newDirectory()).withEnv({ VSEC_SEAL_KEY_FILE: other });
    await (await loadSeal("key-file", otherStore)).protect(systemRandom.bytes(32), OTHER_STORE_ID);
    expect(await opened(other)).toBe(vectors.rootKey);
    expect(await opened(moved)).toBe(vectors.rootKey);
    renameSync(pathOf(config), moved);
    expect(await opened(moved)).toBe(vectors.rootKey);
    expect(await codeOf(() => opened(other))).toBe("SEAL_UNAVAILABLE");
    chmodSync(moved, 0o644);
    expect(await codeOf(() => opened(moved))).toBe("STORE_PERMISSIONS");
  });

  test.each([0o644, 0o640, 0o604, 0o620, 0o660, 0o601])("refuses a file of mode %o", async (mode) => {
    const seal = await loadSeal("key-file", sealWorld(newDirectory()));
    const config = await seal.protect(rootKey, STORE_ID);
    chmodSync(pathOf(config), mode);
    expect(await codeOf(() => seal.open(config))).toBe("STORE_PERMISSIONS");
  });

  test.each([
    ["another store's id", `vsec-root-key-v1 ${OTHER_STORE_ID} ${rootKey.toString("base64")}\n`, "stays"],
    ["another key", `vsec-root-key-v1 ${STORE_ID} ${Buffer.alloc(32).toString("base64")}\n`, "goes"],
    ["a short key", `vsec-root-key-v1 ${STORE_ID} ${rootKey.subarray(1).toString("base64")}\n`, "goes"],
    ["another version", `vsec-root-key-v2 ${STORE_ID} ${rootKey.toString("base64")}\n`, "stays"],
    ["a key that is no base64", `vsec-root-key-v1 ${STORE_ID} -${rootKey.toString("base64")}\n`, "stays"],
    ["a word too many", `vsec-root-key-v1 ${STORE_ID} ${rootKey.toString("base64")} more\n`, "stays"],
    ["a word too few", `vsec-root-key-v1 ${STORE_ID}\n`, "stays"],
    ["nothing in it", "", "stays"],
  ])(
    "refuses a file with %s as the wrong key, and removes it only when it is its own",
    async (_, line, fate) => {
      const seal = await loadSeal("key-file", sealWorld(newDirectory()));
      const config = await seal.protect(rootKey, STORE_ID);
      writeFileSync(pathOf(config), line);
      expect(await codeOf(() => seal.open(config))).toBe("SEAL_WRONG_KEY");
      await seal.forget(config);
      expect(existsSync(pathOf(config)) ? "stays" : "goes").toBe(fate);
    },
  );

  test("refuses a link, a file that is too large, and says when it is missing", async () => {
    const seal = await loadSeal("key-file", sealWorld(newDirectory()));
    const config = await seal.protect(rootKey, STORE_ID);
    const link = join(newDirectory(), "link");
    symlinkSync(pathOf(config), link);
    expect(await codeOf(() => seal.open(withParams(config, { path: link })))).toBe("FILE");
    writeFileSync(pathOf(config), "x".repeat(10_000));
    expect(await codeOf(() => seal.open(config))).toBe("FILE");
    const missing = withParams(config, { path: join(newDirectory(), "missing") });
    expect(await codeOf(() => seal.open(missing))).toBe("SEAL_UNAVAILABLE");
    expect(await codeOf(() => seal.open(withParams(config, { path: undefined })))).toBe("BARRIER_DAMAGED");
  });
});

describe("the environment seal", () => {
  const world = sealWorld(newDirectory());
  const openWith = async (env: Readonly<Record<string, string>>, config: SealConfig = envVector) =>
    Buffer.from((await (await loadSeal("env", world.withEnv(env))).open(config)) ?? []).toString("hex");

  test("opens the vector, with or without a line break after the variable's value", async () => {
    expect(await openWith(ENV)).toBe(vectors.rootKey);
    expect(await openWith({ VSEC_SEAL_KEY: `${sealKey}\n` })).toBe(vectors.rootKey);
  });

  test("refuses every other key as the wrong one", async () => {
    for (const flipped of flips(Buffer.from(sealKey, "base64"))) {
      const env = { VSEC_SEAL_KEY: Buffer.from(flipped).toString("base64") };
      expect(await codeOf(() => openWith(env))).toBe("SEAL_WRONG_KEY");
    }
    for (const bad of [
      "x",
      sealKey.slice(0, -4),
      sealKey.slice(0, -1),
      `${sealKey}AAAA`,
      rootKey.toString("hex"),
    ]) {
      expect(await codeOf(() => openWith({ VSEC_SEAL_KEY: bad }))).toBe("SEAL_WRONG_KEY");
    }
  });

  test("refuses the right key for another store, and a wrapped key that was changed or cut", async () => {
    expect(await codeOf(() => openWith(ENV, { ...envVector, storeId: OTHER_STORE_ID }))).toBe(
      "SEAL_WRONG_KEY",
    );
    const wrapped = Buffer.from(String(envVector.params.wrapped), "base64");
    for (const flipped of flips(wrapped)) {
      const bad = withParams(envVector, { wrapped: Buffer.from(flipped).toString("base64") });
      expect(await codeOf(() => openWith(ENV, bad))).toBe("SEAL_WRONG_KEY");
    }
    for (const length of [0, 33, 64]) {
      const bad = withParams(envVector, { wrapped: wrapped.subarray(0, length).toString("base64") });
      expect(await codeOf(() => openWith(ENV, bad))).toBe("BARRIER_DAMAGED");
    }
  });

  test("needs the variable before the store is made, and tells how to make one without repeating a bad one", async () => {
    expect(await codeOf(() => openWith({}))).toBe("SEAL_UNAVAILABLE");
    expect(await codeOf(() => openWith({ VSEC_SEAL_KEY: "" }))).toBe("SEAL_UNAVAILABLE");
    const bad = Buffer.alloc(31, 7).toString("base64");
    for (const env of [{}, { VSEC_SEAL_KEY: bad }]) {
      const seal = await loadSeal("env", world.withEnv(env));
      const error = await seal.protect(rootKey, STORE_ID).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "SEAL_UNAVAILABLE" });
      expect(String(error)).toContain("openssl rand -base64 32");
      expect(Bun.inspect(error)).not.toContain(bad);
    }
  });

  test("leaves a secret out of what it prints", () => {
    expect(Bun.inspect(world.withEnv(ENV).env)).not.toContain(sealKey);
    expect(JSON.stringify(world.withEnv(ENV).env)).not.toContain(sealKey);
  });
});

describe("the passphrase seal", () => {
  const PASSPHRASE = new Secret(vectors.seals.passphrase);
  const hex = (key: Uint8Array | null) => (key === null ? null : Buffer.from(key).toString("hex"));

  test("opens the vector, however its letters are composed, and refuses any other passphrase", async () => {
    const seal = await loadPassphraseSeal(sealWorld(newDirectory()));
    expect(hex(await seal.unlock(passphraseVector, PASSPHRASE))).toBe(vectors.rootKey);
    const decomposed = new Secret(vectors.seals.passphrase.normalize("NFD"));
    expect(decomposed.reveal()).not.toBe(vectors.seals.passphrase);
    expect(hex(await seal.unlock(passphraseVector, decomposed))).toBe(vectors.rootKey);
    for (const wrong of ["x", `${vectors.seals.passphrase} `, vectors.seals.passphrase.toUpperCase()]) {
      expect(await codeOf(() => seal.unlock(passphraseVector, new Secret(wrong)))).toBe("SEAL_WRONG_KEY");
    }
    for (const bad of ["", "x".repeat(1025)]) {
      expect(await codeOf(() => seal.unlock(passphraseVector, new Secret(bad)))).toBe("USAGE");
    }
  });

  test("is sealed until it is unlocked, open for every process after it, and sealed once it is locked", async () => {
    const world = sealWorld(newDirectory());
    const seal = await loadPassphraseSeal(world);
    expect(await seal.open(passphraseVector)).toBeNull();
    await seal.unlock(passphraseVector, PASSPHRASE);
    expect([...world.keychain.items.keys()]).toEqual([`vsec/unlocked:${STORE_ID}`]);
    expect(hex(await (await loadPassphraseSeal(world)).open(passphraseVector))).toBe(vectors.rootKey);
    expect(await seal.lock(passphraseVector)).toBe(true);
    expect(await (await loadPassphraseSeal(world)).open(passphraseVector)).toBeNull();
  });

  test("keeps the unlocked key in a private file of the runtime directory when there is no keychain", async () => {
    const world = sealWorld(newDirectory());
    world.keychain.answers = false;
    const seal = await loadPassphraseSeal(world);
    await seal.unlock(passphraseVector, PASSPHRASE);
    const file = join(String(world.directories.runtime), `${STORE_ID}.unlocked`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(hex(await seal.open(passphraseVector))).toBe(vectors.rootKey);
    chmodSync(file, 0o644);
    expect(await seal.open(passphraseVector)).toBeNull();
    expect(await seal.lock(passphraseVector)).toBe(false);
    expect(existsSync(file)).toBe(false);
  });

  test("keeps it nowhere when the runtime directory is on a disk, or there is none", async () => {
    const onDisk = sealWorld(newDirectory(), false);
    const without = { ...onDisk, directories: { ...onDisk.directories, runtime: null } };
    onDisk.keychain.answers = false;
    for (const world of [onDisk, without]) {
      const seal = await loadPassphraseSeal(world);
      expect(hex(await seal.unlock(passphraseVector, PASSPHRASE))).toBe(vectors.rootKey);
      expect(await seal.open(passphraseVector)).toBeNull();
    }
    expect(existsSync(join(String(onDisk.directories.runtime), `${STORE_ID}.unlocked`))).toBe(false);
  });

  test("does not believe what it kept when that is another store's", async () => {
    const world = sealWorld(newDirectory());
    const seal = await loadPassphraseSeal(world);
    for (const value of ["", "x", Buffer.alloc(32).toString("base64")]) {
      world.keychain.items.set(`vsec/unlocked:${STORE_ID}`, value);
      expect(await seal.open(passphraseVector)).toBeNull();
    }
  });

  test("uses the key that it kept before it derives one", async () => {
    const world = sealWorld(newDirectory());
    await (await loadPassphraseSeal(world)).unlock(passphraseVector, PASSPHRASE);
    const withWrong = await loadPassphraseSeal(world.withEnv({ VSEC_PASSPHRASE: "wrong" }));
    expect(hex(await withWrong.open(passphraseVector))).toBe(vectors.rootKey);
    await withWrong.lock(passphraseVector);
    expect(await codeOf(() => withWrong.open(passphraseVector))).toBe("SEAL_WRONG_KEY");
  });

  test("takes the passphrase from a private file, behind a link if need be, without its final line break", async () => {
    const directory = newDirectory();
    const file = join(directory, "passphrase");
    writeFileSync(file, `${vectors.seals.passphrase}\n`, { mode: 0o600 });
    symlinkSync(file, join(directory, "link"));
    const openWith = async (path: string) => {
      const world = sealWorld(newDirectory()).withEnv({ VSEC_PASSPHRASE_FILE: path });
      return hex(await (await loadPassphraseSeal(world)).open(passphraseVector));
    };
    expect(await openWith(file)).toBe(vectors.rootKey);
    expect(await openWith(join(directory, "link"))).toBe(vectors.rootKey);
    writeFileSync(file, `${vectors.seals.passphrase}\n\n`);
    expect(await codeOf(() => openWith(file))).toBe("SEAL_WRONG_KEY");
    chmodSync(file, 0o644);
    expect(await codeOf(() => openWith(file))).toBe("STORE_PERMISSIONS");
    expect(await codeOf(() => openWith(join(directory, "missing")))).toBe("SEAL_UNAVAILABLE");
  });

  test("needs a passphrase to protect a store, and writes RFC 9106's second recommended costs", async () => {
    const seal = await loadPassphraseSeal(sealWorld(newDirectory()));
    expect(await codeOf(() => seal.protect(rootKey, STORE_ID))).toBe("SEAL_UNAVAILABLE");
    const given = await loadPassphraseSeal(sealWorld(newDirectory()).withEnv({ VSEC_PASSPHRASE: "p" }));
    const { params } = await given.protect(rootKey, STORE_ID);
    expect(params).toMatchObject({ memoryKib: 65_536, passes: 3, lanes: 4 });
  });

  test.each([
    ["memory", { memoryKib: 1_048_577 }],
    ["too little memory for its lanes", { memoryKib: 31, lanes: 4 }],
    ["passes", { passes: 17 }],
    ["no pass", { passes: 0 }],
    ["lanes", { lanes: 17, memoryKib: 1_000_000 }],
    ["half a pass", { passes: 1.5 }],
    ["costs that are text", { memoryKib: "64" }],
    ["a short salt", { salt: "AAAA" }],
    ["no salt", { salt: undefined }],
    ["no wrapped key", { wrapped: undefined }],
  ])("refuses a configuration that asks for %s", async (_, params) => {
    const seal = await loadPassphraseSeal(sealWorld(newDirectory()));
    const bad = withParams(passphraseVector, params);
    expect(await codeOf(() => seal.unlock(bad, PASSPHRASE))).toBe("BARRIER_DAMAGED");
  });

  test("refuses a configuration whose costs or salt were changed", async () => {
    const seal = await loadPassphraseSeal(sealWorld(newDirectory()));
    const salt = Buffer.alloc(16).toString("base64");
    for (const params of [{ passes: 2 }, { memoryKib: 128 }, { salt }]) {
      const bad = withParams(passphraseVector, params);
      expect(await codeOf(() => seal.unlock(bad, PASSPHRASE))).toBe("SEAL_WRONG_KEY");
    }
  });
});

test("a new store is sealed by the keychain where there is one, else by a key file", async () => {
  const { keychain } = sealWorld(newDirectory());
  expect(await chooseSeal({ keychain })).toBe("keychain");
  keychain.answers = false;
  expect(await chooseSeal({ keychain })).toBe("key-file");
});
