import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { VsecError } from "../../src/base/errors.ts";
import { empty, envelope, ok, refused, temporaryHome, vsec } from "./fake-world.ts";

const UNSEALED = {
  type: "key-file",
  initialized: true,
  sealed: false,
  t: 1,
  n: 1,
  progress: 0,
  nonce: "",
  version: "0.1.0",
  build_date: "2026-01-02T03:04:05Z",
  migration: false,
  recovery_seal: false,
  storage_type: "sqlite",
  cluster_name: "vsec",
  cluster_id: "c1",
};
const SEALED = { ...UNSEALED, sealed: true, cluster_name: "", cluster_id: "" };
const LEADER = { ha_enabled: false };

describe("status", () => {
  test("an unsealed store is exit 0, asked without a token", async () => {
    const ran = await vsec(["status"], { answers: [ok(UNSEALED), ok(LEADER)], env: { VSEC_TOKEN: "t" } });
    expect(ran.requests).toEqual([
      { method: "GET", path: "sys/seal-status" },
      { method: "GET", path: "sys/leader" },
    ]);
    expect([ran.exitCode, ran.stdout]).toEqual([
      0,
      `Key             Value
---             -----
Seal Type       key-file
Initialized     true
Sealed          false
Total Shares    1
Threshold       1
Version         0.1.0
Build Date      2026-01-02T03:04:05Z
Storage Type    sqlite
Cluster Name    vsec
Cluster ID      c1
HA Enabled      false
`,
    ]);
  });

  test("a sealed store is exit 2, with the progress of unsealing", async () => {
    const ran = await vsec(["status"], { answers: [ok(SEALED), ok(LEADER)] });
    expect(ran.exitCode).toBe(2);
    expect(ran.stdout).toContain("Unseal Progress    0/1\nUnseal Nonce       n/a\n");
    expect(ran.stdout).not.toContain("Cluster");
  });

  test("JSON has Vault's keys in order", async () => {
    const ran = await vsec(["status", "-format=json"], { answers: [ok(UNSEALED), ok(LEADER)] });
    expect(Object.keys(JSON.parse(ran.stdout))).toEqual(
      "type initialized sealed t n progress nonce version build_date migration cluster_name cluster_id recovery_seal storage_type ha_enabled active_time".split(
        " ",
      ),
    );
  });

  test("any failure is exit 1, since 2 means sealed", async () => {
    const failed = await vsec(["status"], { answers: [refused(500, "x")] });
    expect([failed.exitCode, failed.stderr.split("\n")[0]]).toEqual([
      1,
      "Error checking seal status: Error making API request.",
    ]);
    const unreachable = await vsec(["status"], { answers: [new VsecError("STORE_CORRUPT", "damaged")] });
    expect([unreachable.exitCode, unreachable.stderr]).toEqual([1, "Error checking seal status: damaged\n"]);
    const leader = await vsec(["status"], { answers: [ok(UNSEALED), refused(500, "x")] });
    expect(leader.stderr).toStartWith("Error checking leader status: ");
    const closed = await vsec(["status"], { failToOpen: new VsecError("KEYCHAIN_UNAVAILABLE", "none") });
    expect([closed.exitCode, closed.stderr]).toEqual([1, "none\n"]);
  });
});

describe("operator init", () => {
  const made = ok({
    keys: [],
    keys_base64: [],
    root_token: "hvs.root",
    seal: { type: "key-file", detail: "the root key is in /k" },
  });

  test("prints the token, remembers it for its owner only, and says where things are", async () => {
    using home = temporaryHome();
    const ran = await vsec(["operator", "init"], { answers: [made], env: { HOME: home.path } });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/init", body: {} }]);
    expect(ran.stdout).toBe("Initial Root Token: hvs.root\n");
    const file = join(home.path, ".vsec-token");
    expect(ran.stderr).toBe(
      `Store:  /home/ada/.local/share/vsec\nSeal:   key-file: the root key is in /k\nToken:  ${file}\n\nNext, enable an engine:\n\n    vsec secrets enable database\n`,
    );
    expect(readFileSync(file, "utf8")).toBe("hvs.root");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("asks for a seal by its type, in the store that is named", async () => {
    const args = ["operator", "init", "-seal=passphrase", "-store=/s", "-no-store-token"];
    const ran = await vsec(args, { answers: [made] });
    expect(ran.requests[0]?.body).toEqual({ seal: { type: "passphrase" } });
    expect(ran.opened).toEqual([{ storeDir: "/s" }]);
    expect(ran.stderr).toContain("Store:  /s\n");
    expect(ran.stderr).toContain("Token:  not stored");
  });

  test("JSON has Vault's keys and the seal", async () => {
    const ran = await vsec(["operator", "init", "-format=json", "-no-store-token"], { answers: [made] });
    expect(JSON.parse(ran.stdout)).toEqual({
      unseal_keys_b64: [],
      unseal_keys_hex: [],
      unseal_shares: 0,
      unseal_threshold: 0,
      recovery_keys_b64: [],
      recovery_keys_hex: [],
      recovery_keys_shares: 0,
      recovery_keys_threshold: 0,
      root_token: "hvs.root",
      seal: { type: "key-file", detail: "the root key is in /k" },
    });
  });

  test("the token is shown although it cannot be stored", async () => {
    const env = { VSEC_TOKEN_PATH: "/dev/null/token" };
    const ran = await vsec(["operator", "init"], { answers: [made], env });
    expect([ran.exitCode, ran.stdout]).toEqual([2, "Initial Root Token: hvs.root\n"]);
    expect(ran.stderr).toStartWith("Error storing token: ");
    expect(ran.stderr).not.toContain("hvs.root");
  });

  test.each([["-key-shares=5"], ["-n=5"], ["-key-threshold=3"], ["-t=0"]])(
    "%s is refused for a seal of one key, before anything is made",
    async (flag) => {
      const ran = await vsec(["operator", "init", "-seal=key-file", flag]);
      expect([ran.exitCode, ran.requests]).toEqual([1, []]);
      expect(ran.stderr).toMatch(/^-key-(shares|threshold)=\d cannot be used: a key-file seal holds one key/);
    },
  );

  test("shares of one are what a seal of one key has", async () => {
    const args = ["operator", "init", "-seal=key-file", "-n=1", "-t=1", "-no-store-token"];
    const ran = await vsec(args, { answers: [made] });
    expect(ran.exitCode).toBe(0);
    expect(ran.requests[0]?.body).toEqual({ seal: { type: "key-file" } });
  });

  test("an unknown seal is refused", async () => {
    const ran = await vsec(["operator", "init", "-seal=tpm"]);
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      'Unknown seal "tpm"; choose one of: keychain, key-file, passphrase, env, shamir\n',
    ]);
  });

  test("-status tells by its exit code", async () => {
    const yes = await vsec(["operator", "init", "-status"], { answers: [ok({ initialized: true })] });
    expect([yes.exitCode, yes.stdout]).toEqual([0, "Vault is initialized\n"]);
    const no = await vsec(["operator", "init", "-status"], { answers: [ok({ initialized: false })] });
    expect([no.exitCode, no.stdout]).toEqual([2, "Vault is not initialized\n"]);
    const json = await vsec(["operator", "init", "-status", "-format=json"], {
      answers: [ok({ initialized: false })],
    });
    expect([json.exitCode, json.stdout]).toEqual([2, '{\n  "initialized": false\n}\n']);
    const failed = await vsec(["operator", "init", "-status"], { answers: [refused(500, "x")] });
    expect([failed.exitCode, failed.stderr.split(":")[0]]).toEqual([1, "Error checking init status"]);
  });

  test("a store that exists is refused by the API", async () => {
    const ran = await vsec(["operator", "init"], { answers: [refused(400, "Vault is already initialized")] });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toStartWith("Error initializing: Error making API request.");
  });
});

describe("operator unseal", () => {
  test("takes the key as an argument, from standard input, or from the terminal", async () => {
    const answers = [ok(UNSEALED)];
    const body = { method: "PUT", path: "sys/unseal", body: { key: "open sesame" } } as const;
    expect((await vsec(["operator", "unseal", "open sesame"], { answers })).requests).toEqual([body]);
    expect((await vsec(["operator", "unseal", "-"], { answers, stdin: "open sesame\n" })).requests).toEqual([
      body,
    ]);
    const typed = await vsec(["operator", "unseal"], { answers, typed: "open sesame" });
    expect(typed.requests).toEqual([body]);
    expect(typed.prompts).toEqual(["Unseal Key (will be hidden): "]);
    expect(`${typed.stdout}${typed.stderr}`).not.toContain("open sesame");
    expect(typed.stdout).toStartWith("Key             Value\n");
  });

  test("without a terminal, no key is an error", async () => {
    const ran = await vsec(["operator", "unseal"]);
    expect([ran.exitCode, ran.requests]).toEqual([1, []]);
    expect(ran.stderr).toStartWith("There is no terminal");
    const quiet = await vsec(["operator", "unseal", "-non-interactive"], { typed: "x" });
    expect([quiet.exitCode, quiet.prompts]).toEqual([1, []]);
  });

  test("is exit 0 even when the store stays sealed, and 2 when the key is wrong", async () => {
    expect((await vsec(["operator", "unseal", "k"], { answers: [ok(SEALED)] })).exitCode).toBe(0);
    const wrong = await vsec(["operator", "unseal", "k"], { answers: [refused(400, "invalid key: no")] });
    expect([wrong.exitCode, wrong.stderr.split(":")[0]]).toEqual([2, "Error unsealing"]);
  });

  test("-reset sends no key", async () => {
    const ran = await vsec(["operator", "unseal", "-reset"], {
      answers: [refused(400, "vault is unsealed")],
    });
    expect(ran.requests[0]?.body).toEqual({ reset: true });
    expect(ran.stderr).toStartWith("Error resetting unseal process: ");
  });
});

describe("the other operator commands", () => {
  const status = envelope({ data: { term: 2, install_time: "2026-11-02T08:03:32.899Z", encryptions: 7 } });

  test("seal", async () => {
    const ran = await vsec(["operator", "seal"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/seal" }]);
    expect(ran.stdout).toBe("Success! Vault is sealed.\n");
  });

  test("key-status is two columns without a header", async () => {
    const ran = await vsec(["operator", "key-status"], { answers: [status] });
    expect(ran.stdout).toBe(
      "Key Term            2\nInstall Time        02 Nov 26 08:03 UTC\nEncryption Count    7\n",
    );
  });

  test("rotate shows the new key", async () => {
    const ran = await vsec(["operator", "rotate"], { answers: [empty, status] });
    expect(ran.requests).toEqual([
      { method: "POST", path: "sys/rotate" },
      { method: "GET", path: "sys/key-status" },
    ]);
    expect(ran.stdout).toStartWith("Success! Rotated key\n\nKey Term            2\n");
    const json = await vsec(["operator", "rotate", "-format=json"], { answers: [empty, status] });
    expect(JSON.parse(json.stdout)).toEqual({
      term: 2,
      install_time: "2026-11-02T08:03:32.899Z",
      encryptions: 7,
    });
  });
});
