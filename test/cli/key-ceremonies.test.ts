import { describe, expect, test } from "bun:test";
import { encodeWithOtp } from "../../src/base/root-otp.ts";
import { empty, ok, refused, temporaryHome, vsec } from "./fake-world.ts";

describe("operator init with shares", () => {
  const made = ok({
    keys: ["aa01", "bb02"],
    keys_base64: ["qgE=", "uwI="],
    root_token: "hvs.root",
    seal: { type: "shamir", detail: "in 2 shares" },
  });

  test.each([
    [["-key-shares=5", "-key-threshold=3"], { secret_shares: 5, secret_threshold: 3 }],
    [["-n=7"], { secret_shares: 7, secret_threshold: 3 }],
    [["-t=2"], { secret_shares: 5, secret_threshold: 2 }],
    [["-n=1", "-t=1"], { secret_shares: 1, secret_threshold: 1 }],
    [["-seal=shamir"], { seal: { type: "shamir" }, secret_shares: 5, secret_threshold: 3 }],
    [["-seal=shamir", "-n=2", "-t=2"], { seal: { type: "shamir" }, secret_shares: 2, secret_threshold: 2 }],
  ])("%j", async (flags, body) => {
    const ran = await vsec(["operator", "init", "-no-store-token", ...flags], { answers: [made] });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/init", body }]);
  });

  test("prints each share, the token and what to do with them; the rest goes to standard error", async () => {
    using home = temporaryHome();
    const args = ["operator", "init", "-n=2", "-t=2"];
    const ran = await vsec(args, { answers: [made], env: { HOME: home.path } });
    expect(ran.stdout).toStartWith(
      "Unseal Key 1: qgE=\nUnseal Key 2: uwI=\n\nInitial Root Token: hvs.root\n\nVault initialized with 2 key shares and a key threshold of 2.",
    );
    expect(ran.stderr).toContain("Seal:   shamir: in 2 shares\n");
    expect(ran.stderr).toEndWith("    vsec daemon\n    vsec operator unseal\n");
    expect(ran.stderr).not.toContain("qgE=");
  });

  test("JSON has the shares in both spellings", async () => {
    const args = ["operator", "init", "-n=2", "-t=2", "-format=json", "-no-store-token"];
    const ran = await vsec(args, { answers: [made] });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      unseal_keys_b64: ["qgE=", "uwI="],
      unseal_keys_hex: ["aa01", "bb02"],
      unseal_shares: 2,
      unseal_threshold: 2,
      recovery_keys_b64: [],
      root_token: "hvs.root",
    });
  });

  test.each([
    "-pgp-keys=k",
    "-root-token-pgp-key=k",
    "-recovery-shares=5",
    "-recovery-threshold=3",
    "-recovery-pgp-keys=k",
  ])("%s is refused by its name, before anything is made", async (flag) => {
    const ran = await vsec(["operator", "init", flag]);
    expect([ran.exitCode, ran.requests]).toEqual([1, []]);
    expect(ran.stderr).toStartWith(`${flag.split("=")[0]} cannot be used: `);
  });
});

describe("operator unseal", () => {
  const status = {
    type: "shamir",
    initialized: true,
    sealed: true,
    t: 3,
    n: 5,
    progress: 1,
    nonce: "n-1",
    version: "0.1.0",
    build_date: "2026-01-02T03:04:05Z",
    migration: false,
    recovery_seal: false,
    storage_type: "sqlite",
  };

  test("shows the progress of the shares", async () => {
    const ran = await vsec(["operator", "unseal", "-"], { answers: [ok(status)], stdin: "share\n" });
    expect([ran.exitCode, ran.stdout]).toEqual([
      0,
      `Key                Value
---                -----
Seal Type          shamir
Initialized        true
Sealed             true
Total Shares       5
Threshold          3
Unseal Progress    1/3
Unseal Nonce       n-1
Version            0.1.0
Build Date         2026-01-02T03:04:05Z
Storage Type       sqlite
`,
    ]);
  });

  test("-migrate is refused with what to do instead", async () => {
    const ran = await vsec(["operator", "unseal", "-migrate"]);
    expect([ran.exitCode, ran.requests]).toEqual([1, []]);
    expect(ran.stderr).toContain("vsec operator rekey -init");
  });
});

const REKEYING = {
  nonce: "n-1",
  started: true,
  t: 3,
  n: 5,
  progress: 1,
  required: 2,
  pgp_fingerprints: null,
  backup: false,
  verification_required: false,
};
const IDLE = { ...REKEYING, nonce: "", started: false, t: 0, n: 0, progress: 0 };

describe("operator rekey", () => {
  test("-init sends the new split, without a token", async () => {
    const env = { VSEC_TOKEN: "t" };
    const ran = await vsec(["operator", "rekey", "-init"], { answers: [ok(REKEYING)], env });
    const body = { secret_shares: 5, secret_threshold: 3, backup: false, require_verification: false };
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/rekey/init", body }]);
    expect(ran.stdout).toBe(
      `Key                      Value
---                      -----
Nonce                    n-1
Started                  true
Progress                 1/2
New Shares               5
New Threshold            3
Verification Required    false
`,
    );
    const args = ["operator", "rekey", "-init", "-n=2", "-t=2", "-verify", "-backup"];
    const more = await vsec(args, { answers: [ok(REKEYING)] });
    expect(more.requests[0]?.body).toEqual({
      secret_shares: 2,
      secret_threshold: 2,
      backup: true,
      require_verification: true,
    });
  });

  test("-status, -cancel and the backup", async () => {
    const idle = await vsec(["operator", "rekey", "-status"], { answers: [ok(IDLE)] });
    expect(idle.stdout).toBe("Key        Value\n---        -----\nNonce      n/a\nStarted    false\n");
    const json = await vsec(["operator", "rekey", "-status", "-format=json"], { answers: [ok(REKEYING)] });
    expect(JSON.parse(json.stdout)).toEqual(REKEYING);
    const cancelled = await vsec(["operator", "rekey", "-cancel"], { answers: [empty] });
    expect(cancelled.requests).toEqual([{ method: "DELETE", path: "sys/rekey/init" }]);
    expect(cancelled.stdout).toBe("Success! Canceled rekeying (if it was started)\n");
    const removed = await vsec(["operator", "rekey", "-backup-delete"], { answers: [empty] });
    expect(removed.requests).toEqual([{ method: "DELETE", path: "sys/rekey/backup" }]);
    expect(removed.stdout).toBe("Success! Deleted backed up keys (if they existed)\n");
    const none = await vsec(["operator", "rekey", "-backup-retrieve"], {
      answers: [refused(400, "no backed-up keys found")],
    });
    expect([none.exitCode, none.stdout]).toEqual([2, ""]);
  });

  test("gives a key that is typed to the operation under way", async () => {
    const answers = [ok(REKEYING), ok({ ...REKEYING, progress: 1 })];
    const ran = await vsec(["operator", "rekey"], { answers, typed: "share" });
    expect(ran.requests).toEqual([
      { method: "GET", path: "sys/rekey/init" },
      { method: "PUT", path: "sys/rekey/update", body: { key: "share", nonce: "n-1" } },
    ]);
    expect(ran.stderr).toContain("Rekey operation nonce: n-1\n");
    expect(ran.prompts).toEqual(["Unseal Key (will be hidden): "]);
    expect(ran.stdout).toContain("Progress                 1/2\n");
    expect(`${ran.stdout}${ran.stderr}`).not.toContain("share\n");
  });

  test("shows the new keys once the last one is given, and what else there is to know", async () => {
    const done = {
      nonce: "n-1",
      complete: true,
      keys: ["aa01"],
      keys_base64: ["qgE="],
      pgp_fingerprints: null,
      backup: false,
      verification_required: false,
      warnings: ["keep both"],
    };
    const answers = [ok(REKEYING), ok(done)];
    const args = ["operator", "rekey", "-nonce=n-1", "-"];
    const ran = await vsec(args, { answers, stdin: "share\n" });
    expect(ran.requests[1]?.body).toEqual({ key: "share", nonce: "n-1" });
    expect(ran.stdout).toStartWith("\nKey 1: qgE=\n\nOperation nonce: n-1\n\nThe store has new keys");
    expect(ran.stderr).toBe("WARNING! keep both\n");
    const json = await vsec([...args, "-format=json"], { answers, stdin: "share\n" });
    expect(JSON.parse(json.stdout)).toEqual(done);
    const unverified = { ...done, verification_required: true, verification_nonce: "v-1", warnings: [] };
    const verifies = await vsec(args, { answers: [ok(REKEYING), ok(unverified)], stdin: "share" });
    expect(verifies.stdout).toContain("The new keys are not valid yet");
    expect(verifies.stdout).toEndWith("\nVerification nonce: v-1\n");
  });

  test("-verify works on the new keys", async () => {
    const status = { nonce: "v-1", started: true, t: 3, n: 5, progress: 1 };
    const shown = await vsec(["operator", "rekey", "-verify", "-status"], { answers: [ok(status)] });
    expect(shown.requests).toEqual([{ method: "GET", path: "sys/rekey/verify" }]);
    expect(shown.stdout).toBe(
      `Key                      Value
---                      -----
Started                  true
New Shares               5
New Threshold            3
Verification Nonce       v-1
Verification Progress    1/3
`,
    );
    const answers = [ok(status), ok({ nonce: "v-1", complete: true })];
    const done = await vsec(["operator", "rekey", "-verify"], { answers, typed: "share" });
    expect(done.requests[1]).toEqual({
      method: "PUT",
      path: "sys/rekey/verify",
      body: { key: "share", nonce: "v-1" },
    });
    expect(done.stdout).toStartWith("Success! Rekey verification complete.");
    const again = await vsec(["operator", "rekey", "-verify", "-cancel"], { answers: [ok(status)] });
    expect(again.requests).toEqual([{ method: "DELETE", path: "sys/rekey/verify" }]);
  });

  test.each([
    [["-target=x"], "Unknown target: x\n"],
    [["-target=recovery"], "-target=recovery cannot be used: "],
    [["-pgp-keys=k", "-init"], "-pgp-keys cannot be used: "],
    [["share"], "Missing nonce value: specify it via the -nonce flag\n"],
    [["-"], "Missing nonce value: specify it via the -nonce flag\n"],
  ])("%j is refused on this side", async (args, text) => {
    const ran = await vsec(["operator", "rekey", ...args]);
    expect([ran.exitCode, ran.requests]).toEqual([1, []]);
    expect(ran.stderr).toStartWith(text);
  });

  test("without a rekey there is nothing to give a key to", async () => {
    const typed = await vsec(["operator", "rekey"], { answers: [ok(IDLE)], typed: "share" });
    expect([typed.exitCode, typed.prompts]).toEqual([1, []]);
    expect(typed.stderr).toStartWith("No rekey is in progress.");
    const answers = [ok(IDLE), refused(400, "no barrier rekey in progress")];
    const named = await vsec(["operator", "rekey", "-nonce=n-1", "share"], { answers });
    expect(named.exitCode).toBe(1);
    expect(named.stderr).toStartWith("No rekey is in progress.");
  });

  test.each([
    [["-init"], "Error initializing rekey: ", [refused(400, "rekey already in progress")]],
    [["-cancel"], "Error canceling rekey: ", [refused(503, "Vault is sealed")]],
    [["-status"], "Error getting rekey status: ", [refused(503, "Vault is sealed")]],
    [["-nonce=n-1", "share"], "Error posting unseal key: ", [ok(REKEYING), refused(400, "no")]],
  ])("a refusal of %j is exit 2 with its prefix", async (args, prefix, answers) => {
    const ran = await vsec(["operator", "rekey", ...args], { answers });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toStartWith(`${prefix}Error making API request.`);
  });
});

const GENERATING = {
  nonce: "n-1",
  started: true,
  progress: 0,
  required: 2,
  complete: false,
  encoded_token: "",
  encoded_root_token: "",
  pgp_fingerprint: "",
  otp: "",
  otp_length: 28,
};
const OTP = "0123456789abcdefghijABCDEFGH";
const TOKEN = "hvs.zyxwvutsrqponmlkjihgfedc";

describe("operator generate-root", () => {
  test("-init shows the one-time password that was made", async () => {
    const answers = [ok({ ...GENERATING, otp: OTP })];
    const ran = await vsec(["operator", "generate-root", "-init"], { answers });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/generate-root/attempt", body: {} }]);
    expect(ran.stdout).toBe(
      `Nonce         n-1
Started       true
Progress      0/2
Complete      false
OTP           ${OTP}
OTP Length    28
`,
    );
    expect(ran.stderr).toStartWith("A one-time password was made");
    const own = await vsec(["operator", "generate-root", "-init", `-otp=${OTP}`], {
      answers: [ok(GENERATING)],
    });
    expect([own.requests[0]?.body, own.stderr]).toEqual([{ otp: OTP }, ""]);
  });

  test("gives a key, and shows the encoded token once it is there", async () => {
    const encoded = encodeWithOtp(TOKEN, Buffer.from(OTP));
    const done = { ...GENERATING, complete: true, progress: 2, encoded_token: encoded };
    const answers = [ok(GENERATING), ok(done)];
    const ran = await vsec(["operator", "generate-root"], { answers, typed: "share" });
    expect(ran.requests).toEqual([
      { method: "GET", path: "sys/generate-root/attempt" },
      { method: "PUT", path: "sys/generate-root/update", body: { key: "share", nonce: "n-1" } },
    ]);
    expect(ran.stderr).toContain("Operation nonce: n-1\n");
    expect(ran.stdout).toContain(
      `Progress         2/2\nComplete         true\nEncoded Token    ${encoded}\n`,
    );
  });

  test("-decode reads the token with its one-time password, here and not by the API", async () => {
    const encoded = encodeWithOtp(TOKEN, Buffer.from(OTP));
    const args = ["operator", "generate-root", `-decode=${encoded}`, `-otp=${OTP}`];
    const ran = await vsec(args);
    expect([ran.exitCode, ran.stdout, ran.requests]).toEqual([0, TOKEN, []]);
    expect((await vsec(args, { stdoutIsTTY: true })).stdout).toBe(`${TOKEN}\n`);
    const json = await vsec([...args, "-format=json"]);
    expect(JSON.parse(json.stdout)).toEqual({ token: TOKEN });
    const piped = await vsec(["operator", "generate-root", "-decode=-", `-otp=${OTP}`], {
      stdin: `${encoded}\n`,
    });
    expect(piped.stdout).toBe(TOKEN);
  });

  test("-generate-otp prints one as long as a token", async () => {
    const ran = await vsec(["operator", "generate-root", "-generate-otp"]);
    expect(ran.stdout).toMatch(/^[0-9A-Za-z]{28}$/);
    const json = await vsec(["operator", "generate-root", "-generate-otp", "-format=json"]);
    expect(JSON.parse(json.stdout)).toEqual({ otp: expect.stringMatching(/^.{28}$/), otp_length: 28 });
  });

  test("-once needs one command, with the key or without", async () => {
    const answers = [ok({ root_token: TOKEN })];
    const ran = await vsec(["operator", "generate-root", "-once"], { answers });
    expect(ran.requests).toEqual([{ method: "PUT", path: "sys/generate-root/once", body: {} }]);
    expect(ran.stdout).toBe(TOKEN);
    const given = await vsec(["operator", "generate-root", "-once", "-"], { answers, stdin: "my key\n" });
    expect(given.requests[0]?.body).toEqual({ key: "my key" });
    const json = await vsec(["operator", "generate-root", "-once", "-format=json"], { answers });
    expect(JSON.parse(json.stdout)).toEqual({ token: TOKEN });
  });

  test("-cancel", async () => {
    const ran = await vsec(["operator", "generate-root", "-cancel"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "sys/generate-root/attempt" }]);
    expect(ran.stdout).toBe("Success! Root token generation canceled (if it was started)\n");
  });

  test.each([
    [["-init", "-otp=x", "-pgp-key=k"], "Error initializing: cannot specify both -otp and -pgp-key\n"],
    [["-init", "-pgp-key=k"], "-pgp-key cannot be used: "],
    [["-decode=x"], "Missing otp: use -otp to supply it\n"],
    [["-decode=!", "-otp=x"], "Error decoding token: the encoded token is not base64\n"],
    [["share"], "Missing nonce value: specify it via the -nonce flag\n"],
  ])("%j is refused on this side", async (args, text) => {
    const ran = await vsec(["operator", "generate-root", ...args]);
    expect([ran.exitCode, ran.requests]).toEqual([1, []]);
    expect(ran.stderr).toStartWith(text);
  });

  test.each([
    [
      ["-init"],
      "Error initializing root generation: ",
      [refused(400, "root generation already in progress")],
    ],
    [["-status"], "Error getting root generation status: ", [refused(503, "Vault is sealed")]],
    [["-nonce=n-1", "share"], "Error posting unseal key: ", [ok(GENERATING), refused(400, "no")]],
    [["-once"], "Error generating root token: ", [refused(400, "no")]],
  ])("a refusal of %j is exit 2 with its prefix", async (args, prefix, answers) => {
    const ran = await vsec(["operator", "generate-root", ...args], { answers });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toStartWith(`${prefix}Error making API request.`);
  });

  test("without a generation there is nothing to give a key to", async () => {
    const answers = [ok({ ...GENERATING, started: false, nonce: "" })];
    const ran = await vsec(["operator", "generate-root"], { answers, typed: "share" });
    expect([ran.exitCode, ran.prompts]).toEqual([1, []]);
    expect(ran.stderr).toStartWith("No root generation is in progress.");
  });
});
