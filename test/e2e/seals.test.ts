import { afterEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { World } from "./world.ts";

const IN_MEMORY = "/dev/shm";
const SEALED = "Code: 503. Errors:\n\n* Vault is sealed\n";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function newWorld(env: Readonly<Record<string, string | undefined>> = {}): World {
  const world = new World("vsec", env);
  cleanups.push(() => world.remove());
  return world;
}

/** The store opens: something encrypted is read. */
async function opens(world: World, env: Readonly<Record<string, string | undefined>> = {}): Promise<boolean> {
  return (await world.run("secrets list", { env })).code === 0;
}

describe("a key file", () => {
  const keysOf = (world: World): string => join(world.home, ".config/vsec/keys");
  const keyOf = (world: World): string => join(keysOf(world), readdirSync(keysOf(world))[0] ?? "");

  test("is made for its owner alone, beside the store and not in it", async () => {
    const world = newWorld();
    await world.ok("operator init -seal=key-file");
    expect(statSync(keysOf(world)).mode & 0o777).toBe(0o700);
    expect(statSync(keyOf(world)).mode & 0o777).toBe(0o600);
    expect(await opens(world)).toBe(true);
  });

  test("is made where VSEC_SEAL_KEY_FILE says, and found there without it", async () => {
    const world = newWorld();
    await world.ok("operator init -seal=key-file", {
      env: { VSEC_SEAL_KEY_FILE: join(world.home, "my.key") },
    });
    expect(statSync(join(world.home, "my.key")).mode & 0o777).toBe(0o600);
    expect(await opens(world)).toBe(true);
  });

  test("that is missing, another store's, or readable by others opens nothing", async () => {
    const [world, other] = [newWorld(), newWorld()];
    await Promise.all([world.ok("operator init -seal=key-file"), other.ok("operator init -seal=key-file")]);
    const key = keyOf(world);
    const content = await Bun.file(key).text();
    const refusal = async (): Promise<string> => {
      const { code, stdout, stderr } = await world.run("secrets list");
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).not.toContain(content.trim().split(" ").at(-1) ?? "");
      return stderr;
    };
    chmodSync(key, 0o640);
    expect(await refusal()).toContain("chmod");
    rmSync(key);
    expect(await refusal()).toContain("is missing: restore it");
    writeFileSync(key, await Bun.file(keyOf(other)).text(), { mode: 0o600 });
    expect(await refusal()).toContain("does not hold the root key of store");
    writeFileSync(key, content, { mode: 0o600 });
    expect(await opens(world)).toBe(true);
  });
});

describe("a key in the environment", () => {
  test("opens the store for whoever has it, and for nobody else", async () => {
    const world = newWorld();
    const key = (): string => randomBytes(32).toString("base64");
    const right = key();
    expect(await world.run("operator init -seal=env")).toMatchObject({ code: 2, stdout: "" });
    expect(await world.run("operator init -seal=env", { env: { VSEC_SEAL_KEY: "short" } })).toMatchObject({
      code: 2,
    });
    await world.ok("operator init -seal=env", { env: { VSEC_SEAL_KEY: right } });
    expect(await opens(world, { VSEC_SEAL_KEY: right })).toBe(true);
    for (const wrong of [undefined, key(), "short"]) {
      const { code, stdout, stderr } = await world.run("secrets list", { env: { VSEC_SEAL_KEY: wrong } });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("VSEC_SEAL_KEY");
      expect(stderr).not.toContain(right);
    }
  });
});

describe("a passphrase", () => {
  const PASSPHRASE = "correct horse battery";

  async function sealedWorld(env: Readonly<Record<string, string | undefined>> = {}): Promise<World> {
    const world = newWorld(env);
    world.file("passphrase", `${PASSPHRASE}\n`);
    await world.ok("operator init -seal=passphrase", { env: { VSEC_PASSPHRASE_FILE: "passphrase" } });
    return world;
  }

  test("is needed for init", async () => {
    const { code, stdout, stderr } = await newWorld().run("operator init -seal=passphrase");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("a passphrase is needed: set VSEC_PASSPHRASE or VSEC_PASSPHRASE_FILE");
  });

  test("that is not given leaves the store sealed, for every command", async () => {
    const world = await sealedWorld();
    const [list, status, help, daemon] = await Promise.all([
      world.run("secrets list"),
      world.run("status"),
      world.run("path-help sys"),
      world.run("daemon -once"),
    ]);
    expect(list).toMatchObject({ code: 2, stdout: "" });
    expect(list.stderr).toEndWith(SEALED);
    expect(status).toMatchObject({ code: 2, stderr: "" });
    expect(status.stdout).toContain("\nSealed             true\n");
    expect(status.stdout).toContain("\nUnseal Progress    0/1\n");
    expect(help).toMatchObject({ code: 2, stdout: "" });
    expect(help.stderr).toStartWith("Error: Vault is sealed.\n");
    expect(daemon.code).not.toBe(0);
    expect(daemon.stderr).toContain(
      "the store is sealed; run `vsec operator unseal`, or set VSEC_PASSPHRASE_FILE",
    );
  });

  test("comes from a file or a variable; a wrong one is refused and not shown", async () => {
    const world = await sealedWorld();
    expect(await opens(world, { VSEC_PASSPHRASE_FILE: "passphrase" })).toBe(true);
    expect(await opens(world, { VSEC_PASSPHRASE: PASSPHRASE })).toBe(true);
    const { code, stdout, stderr } = await world.run("secrets list", {
      env: { VSEC_PASSPHRASE: "wrong one" },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("the passphrase is not that of store ");
    expect(stderr).not.toContain("wrong one");
    expect((await world.run("operator unseal -", { stdin: "wrong one\n" })).code).toBe(2);
    expect((await world.run("operator unseal")).code).toBe(1);
  });

  test("that opens the store and can be kept nowhere is not called an unsealing", async () => {
    const world = await sealedWorld();
    const { code, stdout, stderr } = await world.run("operator unseal -", { stdin: `${PASSPHRASE}\n` });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("the key is right, but there is nowhere to keep what it opens");
    expect(await opens(world)).toBe(false);
  });

  test.skipIf(!existsSync(IN_MEMORY))(
    "unlocks once: later commands find the key in memory, until seal",
    async () => {
      const runtime = mkdtempSync(join(IN_MEMORY, "vsec-runtime-"));
      chmodSync(runtime, 0o700);
      cleanups.push(() => rmSync(runtime, { recursive: true, force: true }));
      const world = await sealedWorld({ XDG_RUNTIME_DIR: runtime });
      expect(await opens(world)).toBe(true);
      const files = readdirSync(join(runtime, "vsec"));
      expect(files).toHaveLength(1);
      expect(statSync(join(runtime, "vsec", files[0] ?? "")).mode & 0o777).toBe(0o600);
      expect(await world.ok("operator seal")).toBe("Success! Vault is sealed.\n");
      expect(await opens(world)).toBe(false);
      expect(await world.json("operator unseal -", { stdin: `${PASSPHRASE}\n` })).toMatchObject({
        sealed: false,
      });
      expect(await opens(world)).toBe(true);
    },
  );
});

/** A session bus with a keyring of its own, for one shell script. */
const KEYRING = ["dbus-run-session", "gnome-keyring-daemon"];
const hasKeyring = process.platform === "linux" && KEYRING.every((name) => Bun.which(name) !== null);

describe("the system's keychain", () => {
  test.skipIf(!hasKeyring)(
    "holds the root key: no file has it, and without the keychain nothing opens",
    async () => {
      const world = newWorld();
      const runtime = join(world.home, "run");
      mkdirSync(runtime, { mode: 0o700 });
      const binary = world.binary;
      const script = [
        'printf "\\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1',
        `"${binary}" operator init -seal=keychain >init.out 2>&1 || exit 1`,
        `"${binary}" secrets enable database && "${binary}" status -format=json`,
      ].join("\n");
      const child = Bun.spawn(["dbus-run-session", "--", "sh", "-c", script], {
        cwd: world.home,
        env: {
          PATH: process.env.PATH ?? "",
          HOME: world.home,
          XDG_RUNTIME_DIR: runtime,
          VSEC_STORE: world.store,
        },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect({ code: await child.exited, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toStartWith("Success! Enabled the database secrets engine at: database/\n");
      expect(JSON.parse(stdout.slice(stdout.indexOf("{")))).toMatchObject({
        type: "keychain",
        sealed: false,
      });
      expect(existsSync(join(world.home, ".config/vsec/keys"))).toBe(false);
      const outside = await world.run("secrets list");
      expect(outside).toMatchObject({ code: 2, stdout: "" });
      expect(outside.stderr).toContain("keychain");
    },
  );
});
