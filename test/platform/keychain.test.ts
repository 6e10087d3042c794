import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Secret } from "../../src/base/secret.ts";
import { systemKeychain } from "../../src/platform/keychain.ts";
import { codeOf, STORE_ID } from "../barrier/world.ts";
import { inSession, missingForSecretService } from "./secret-service.ts";
import { temporaryDirectories } from "./temp.ts";

const newDirectory = temporaryDirectories();
const source = (path: string): string => JSON.stringify(join(import.meta.dir, "../../src", path));

describe("without a D-Bus session", () => {
  test.each([{}, { XDG_RUNTIME_DIR: "/missing" }, { DBUS_SESSION_BUS_ADDRESS: "" }])(
    "the keychain is unavailable on Linux: %j",
    async (env) => {
      const keychain = systemKeychain({ env, platform: "linux" });
      expect(await keychain.available()).toBe(false);
      const value = new Secret("v");
      expect(await codeOf(() => keychain.get("vsec", "n"))).toBe("KEYCHAIN_UNAVAILABLE");
      expect(await codeOf(() => keychain.set("vsec", "n", value))).toBe("KEYCHAIN_UNAVAILABLE");
      expect(await codeOf(() => keychain.delete("vsec", "n"))).toBe("KEYCHAIN_UNAVAILABLE");
    },
  );

  // The library keeps the first bus that it finds, so these run in processes of their own.
  test.skipIf(process.platform !== "linux")(
    "that answers, the keychain is unavailable (needs Linux)",
    async () => {
      const directory = newDirectory();
      const socket = join(directory, "silent");
      const server = createServer(() => undefined);
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      for (const path of [socket, join(directory, "missing")]) {
        expect(await probeWith({ DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` })).toBe(
          "false KEYCHAIN_UNAVAILABLE",
        );
      }
      server.close();
    },
  );
});

/** What a fresh process says about the keychain, with answers waited for only briefly. */
function probeWith(env: Readonly<Record<string, string>>): Promise<string> {
  const program = `
    const { systemKeychain } = await import(${source("platform/keychain.ts")});
    const keychain = systemKeychain({ timeoutMs: 200 });
    const code = await keychain.get("vsec", "n").then(() => "none", (error) => error.code);
    process.stdout.write((await keychain.available()) + " " + code, () => process.exit(0));`;
  const child = spawn(process.execPath, ["-e", program], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}

const missing = missingForSecretService();
describe.skipIf(missing !== undefined)(`with a real Secret Service${missing ? ` (${missing})` : ""}`, () => {
  const programFor = (body: string): string => `
    const { systemKeychain } = await import(${source("platform/keychain.ts")});
    const { Secret } = await import(${source("base/secret.ts")});
    const { systemFiles } = await import(${source("platform/files.ts")});
    const { systemRandom } = await import(${source("platform/random.ts")});
    const { sealEnvironment } = await import(${source("barrier/seals/dependencies.ts")});
    const { chooseSeal, loadPassphraseSeal, loadSeal } = await import(${source("barrier/seals/index.ts")});
    const keychain = systemKeychain();
    const codeOf = (promise) => promise.then(() => "none", (error) => error.code);
    const hex = (bytes) => bytes === null ? null : Buffer.from(bytes).toString("hex");
    const home = process.env.HOME;
    const world = { keychain, files: systemFiles, random: systemRandom, env: sealEnvironment({ VSEC_PASSPHRASE: "p" }),
      directories: { config: home + "/config", runtime: null } };
    const storeId = ${JSON.stringify(STORE_ID)};
    const rootKey = new Uint8Array(32).fill(7);
    const answer = await (async () => { ${body} })();
    process.stdout.write(JSON.stringify(answer));`;
  const home = newDirectory();
  mkdirSync(home, { recursive: true });

  test("items are kept, replaced, found again and removed, and the probe leaves nothing", () => {
    const program = programFor(`
      const available = await keychain.available();
      const before = await keychain.get("vsec", "name");
      await keychain.set("vsec", "name", new Secret("one"));
      await keychain.set("vsec", "name", new Secret("two"));
      const after = (await keychain.get("vsec", "name")).reveal();
      const other = await keychain.get("vsec", "other");
      const removed = [await keychain.delete("vsec", "name"), await keychain.delete("vsec", "name")];
      return { available, before, after, other, removed };`);
    expect(inSession({ home: newDirectory(), program })).toEqual({
      available: true,
      before: null,
      after: "two",
      other: null,
      removed: [true, false],
    });
  }, 60_000);

  test("a store sealed by the keychain is opened in a later session, and not while the keychain is locked", () => {
    const sealed = programFor(`
      const seal = await loadSeal(await chooseSeal(world), world);
      return await seal.protect(rootKey, storeId);`);
    const config = inSession({ home, program: sealed });
    expect(config).toMatchObject({ type: "keychain", storeId: STORE_ID });
    const opened = programFor(`
      const seal = await loadSeal("keychain", world);
      const config = ${JSON.stringify(config)};
      return { key: await seal.open(config).then(hex, (error) => error.code), choice: await chooseSeal(world) };`);
    expect(inSession({ home, program: opened })).toEqual({ key: "07".repeat(32), choice: "keychain" });
    const whileLocked = { key: "SEAL_UNAVAILABLE", choice: "key-file" };
    expect(inSession({ home, locked: true, program: opened })).toEqual(whileLocked);
  }, 60_000);

  test("a passphrase unlocks once, until it is locked", () => {
    const program = programFor(`
      const seal = await loadPassphraseSeal(world);
      const config = await seal.protect(rootKey, storeId);
      const later = await loadPassphraseSeal({ ...world, env: sealEnvironment({}) });
      const unlocked = hex(await later.open(config));
      const told = await later.lock(config);
      return { unlocked, told, locked: await later.open(config) };`);
    expect(inSession({ home: newDirectory(), program })).toEqual({
      unlocked: "07".repeat(32),
      told: true,
      locked: null,
    });
  }, 60_000);
});
