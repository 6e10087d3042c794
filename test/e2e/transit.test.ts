import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Transport } from "./transport.ts";
import { World } from "./world.ts";

const PLAINTEXT = "4111 1111 1111 1111 is a number nobody else has";
const base64 = (text: string | Buffer): string => Buffer.from(text).toString("base64");

describe.each(["process", "socket"] as const)("keys and one-time codes (%s)", (transport: Transport) => {
  const world = new World();
  const field = async (name: string, ...line: string[]): Promise<string> =>
    (await world.ok([line[0] ?? "", `-field=${name}`, ...line.slice(1)])).trim();

  beforeAll(async () => {
    await world.ok("operator init -seal=key-file");
    await world.reachOver(transport);
    for (const engine of ["transit", "totp", "ssh"]) await world.ok(`secrets enable ${engine}`);
    await world.ok("secrets enable -version=2 kv");
  });
  afterAll(() => world.close());

  test("what is encrypted is decrypted, after a rotation as well, and never reaches the disk", async () => {
    await world.ok("write -force transit/keys/orders");
    const encrypt = ["write", "transit/encrypt/orders", `plaintext=${base64(PLAINTEXT)}`];
    const ciphertext = await field("ciphertext", ...encrypt);
    expect(ciphertext).toStartWith("vault:v1:");
    await world.ok("write -force transit/keys/orders/rotate");
    const renewed = await field("ciphertext", "write", "transit/rewrap/orders", `ciphertext=${ciphertext}`);
    expect(renewed).toStartWith("vault:v2:");
    for (const each of [ciphertext, renewed]) {
      const plaintext = await field("plaintext", "write", "transit/decrypt/orders", `ciphertext=${each}`);
      expect(Buffer.from(plaintext, "base64").toString()).toBe(PLAINTEXT);
    }
    for (const name of readdirSync(world.store).filter((file) => file.startsWith("store.db"))) {
      const content = readFileSync(join(world.store, name));
      for (const text of [PLAINTEXT, base64(PLAINTEXT).slice(0, -3), ciphertext.slice(9)]) {
        expect([name, content.includes(text)]).toEqual([name, false]);
      }
    }
  });

  test("a key is imported with vsec transit import, and signs what openssl verifies", async () => {
    const directory = world.home;
    execFileSync(
      "openssl",
      ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "k.pem"],
      {
        cwd: directory,
        stdio: "ignore",
      },
    );
    execFileSync(
      "openssl",
      ["pkcs8", "-topk8", "-nocrypt", "-in", "k.pem", "-outform", "DER", "-out", "k.der"],
      {
        cwd: directory,
      },
    );
    world.file("k.b64", base64(readFileSync(join(directory, "k.der"))));
    const imported = await world.ok("transit import transit/keys/mine @k.b64 type=rsa-2048");
    expect(imported).toEndWith("Submitting wrapped key.\nSuccess!\n");
    expect((await world.run("transit import transit/keys/mine @k.b64 type=rsa-2048")).code).toBe(3);
    const line = [
      "write",
      "transit/sign/mine",
      `input=${base64("a message")}`,
      "signature_algorithm=pkcs1v15",
    ];
    const signature = (await field("signature", ...line)).slice("vault:v1:".length);
    world.file("message", "a message");
    world.file("signature", Buffer.from(signature, "base64"));
    execFileSync("openssl", ["pkey", "-in", "k.pem", "-pubout", "-out", "k.pub"], { cwd: directory });
    const verify = ["dgst", "-sha256", "-verify", "k.pub", "-signature", "signature", "message"];
    expect(execFileSync("openssl", verify, { cwd: directory }).toString()).toBe("Verified OK\n");
  });

  test("a batch is answered item by item, with exit 2 when one of them is wrong", async () => {
    world.file("batch.json", JSON.stringify({ batch_input: [{ plaintext: "aGk=" }, { plaintext: "!" }] }));
    const ran = await world.run("write -format=json transit/encrypt/orders @batch.json");
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout).data.batch_results).toEqual([
      { ciphertext: expect.stringMatching(/^vault:v2:/), key_version: 2 },
      { error: "failed to base64-decode plaintext: illegal base64 data at input byte 0" },
    ]);
  });

  test("numbers of a secret come back as they were written", async () => {
    const secret = '{"big":9007199254740993,"one":1.0}';
    await world.ok("kv put -mount=kv numbers -", { stdin: secret });
    expect(await world.ok("kv get -mount=kv -field=big numbers")).toBe("9007199254740993");
    const json = await world.ok("kv get -mount=kv -format=json numbers");
    expect(json).toContain('"big": 9007199254740993,\n      "one": 1.0\n');
    await world.ok("kv patch -mount=kv -method=rw numbers more=x");
    expect(await world.ok("kv get -mount=kv -field=one numbers")).toBe("1.0");
  });

  test("a one-time code is taken once", async () => {
    await world.ok("write totp/keys/me generate=true issuer=Example account_name=me");
    const code = await field("code", "read", "totp/code/me");
    expect(await field("valid", "write", "totp/code/me", `code=${code}`)).toBe("true");
    const again = await world.run(["write", "totp/code/me", `code=${code}`]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("code already used")]);
  });

  test("an SSH key is signed, and a one-time password has a lease", async () => {
    await world.ok("write ssh/config/ca key_type=ed25519");
    const role = ["key_type=ca", "allow_user_certificates=true", "allowed_users=*", "default_user=me"];
    world.file("role.json", JSON.stringify({ default_extensions: { "permit-pty": "" } }));
    await world.ok(["write", "ssh/roles/users", ...role, "@role.json"]);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(world.home, "id")]);
    world.file(
      "id-cert.pub",
      `${await field("signed_key", "write", "ssh/sign/users", "public_key=@id.pub")}\n`,
    );
    const shown = execFileSync("ssh-keygen", ["-L", "-f", join(world.home, "id-cert.pub")]).toString();
    expect(shown).toMatch(/Principals: \n {16}me\n/);
    expect(shown).toContain("permit-pty");
    await world.ok("write ssh/roles/otp key_type=otp default_user=me cidr_list=10.0.0.0/8");
    const issued = await world.json<{ lease_id: string; data: { key: string } }>(
      "write ssh/creds/otp ip=10.0.0.1",
    );
    await world.ok(`lease revoke -sync ${issued.lease_id}`);
    const verified = await world.run(`write ssh/verify otp=${issued.data.key}`);
    expect([verified.code, verified.stderr]).toEqual([2, expect.stringContaining("OTP not found")]);
  });
});
