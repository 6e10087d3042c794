import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Sshd, sshdMissing, startSshd } from "../servers/sshd.ts";
import { World } from "./world.ts";

const missing = sshdMissing();

async function newWorld(): Promise<World> {
  const world = new World();
  await world.ok("operator init -seal=key-file");
  await world.ok("secrets enable ssh");
  return world;
}

/** Puts a program into a directory of its own below the home. @returns The directory. */
function program(world: World, name: string, lines: readonly string[]): string {
  mkdirSync(join(world.home, "bin"), { recursive: true });
  world.file(join("bin", name), `#!/bin/sh\n${lines.join("\n")}\n`);
  chmodSync(join(world.home, "bin", name), 0o700);
  return join(world.home, "bin");
}

describe.skipIf(missing !== undefined)(
  `vsec ssh -mode=ca${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let world: World;
    let sshd: Sshd;

    beforeAll(async () => {
      world = await newWorld();
      await world.ok("secrets enable -path=hosts ssh");
      for (const mount of ["ssh", "hosts"]) await world.ok(`write ${mount}/config/ca key_type=ed25519`);
      await world.ok("write hosts/roles/all key_type=ca allow_host_certificates=true allowed_domains=*");
      const role = "key_type=ca allow_user_certificates=true allowed_users=* allowed_extensions=*";
      await world.ok(`write ssh/roles/admins ${role}`);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(world.home, "id")]);
      const authority = await world.ok("read -field=public_key ssh/config/ca");
      sshd = await startSshd(authority, async (line) => {
        world.file("host.pub", line);
        const sign =
          "write -field=signed_key hosts/sign/all cert_type=host valid_principals=127.0.0.1 public_key=@host.pub";
        return world.ok(sign);
      });
    });
    afterAll(async () => {
      await sshd?.stop();
      world?.remove();
    });

    const keys = "-public-key-path=id.pub -private-key-path=id";
    const hosts = "-host-key-mount-point=hosts -strict-host-key-checking=yes";

    test("logs in with a certificate, trusts the host for its, and passes on the exit code", async () => {
      const line = `ssh -mode=ca -role=admins ${keys} ${hosts} ${sshd.user}@127.0.0.1 -- -F none -p ${sshd.port} -o BatchMode=yes`;
      const words = line.split(" ");
      const ran = await world.run([...words, "echo in; exit 7"]);
      expect([ran.code, ran.stdout]).toEqual([7, "in\n"]);
      expect(sshd.log()).toContain("Accepted publickey");
    });

    test("does not log in where the host is not trusted", async () => {
      const line = `ssh -mode=ca -role=admins ${keys} -strict-host-key-checking=yes -user-known-hosts-file=/dev/null`;
      const ran = await world.run(
        `${line} ${sshd.user}@127.0.0.1 -- -F none -p ${sshd.port} -o BatchMode=yes true`,
      );
      expect([ran.code, ran.stderr]).toEqual([255, expect.stringContaining("Host key verification failed")]);
    });

    test("shows the certificate instead with -no-exec", async () => {
      const line = `ssh -mode=ca -role=admins ${keys} -no-exec -field=signed_key me@host`;
      world.file("shown-cert.pub", await world.ok(line));
      const shown = execFileSync("ssh-keygen", ["-L", "-f", join(world.home, "shown-cert.pub")]).toString();
      expect(shown).toMatch(/Principals: \n {16}me\n/);
      expect(shown).toContain("permit-pty");
    });
  },
);

describe("vsec ssh -mode=otp", () => {
  let world: World;
  beforeAll(async () => {
    world = await newWorld();
    await world.ok("write ssh/roles/office key_type=otp default_user=me cidr_list=127.0.0.0/8");
  });
  afterAll(() => world.remove());

  const leases = async (): Promise<number> =>
    (await world.run("list sys/leases/lookup/ssh/creds/office")).code ?? -1;

  test("hands the password to sshpass in its environment, without vsec's token, and ends its lease", async () => {
    const shows = [
      'echo "$@"',
      'echo "password $SSHPASS"',
      'env | grep -q "^VSEC_TOKEN=" || echo "no token"',
      "exit 3",
    ];
    const bin = program(world, "sshpass", shows);
    const VSEC_TOKEN = (await world.ok("print token")).trim();
    const env = { PATH: `${bin}:${process.env.PATH}`, VSEC_TOKEN };
    const ran = await world.run("ssh -mode=otp me@127.0.0.1 uptime", { env });
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(
      /^-e ssh -o StrictHostKeyChecking=ask me@127\.0\.0\.1 uptime\npassword [0-9a-f-]{36}\nno token\n$/,
    );
    expect(await leases()).toBe(2);
  });

  test("shows the password where there is no sshpass", async () => {
    const fake = join(program(world, "fake-ssh", ['echo "ssh $@"']), "fake-ssh");
    const ran = await world.run(`ssh -mode=otp -role=office -ssh-executable=${fake} me@127.0.0.1`, {
      env: { PATH: "/nowhere" },
    });
    expect(ran.stdout).toMatch(
      /^OTP for the session is: [0-9a-f-]{36}\nssh -o StrictHostKeyChecking=ask me@127\.0\.0\.1\n$/,
    );
    expect(ran.stderr).toContain('There is no program "sshpass"');
    expect(await leases()).toBe(2);
  });

  test("shows it and leaves its lease with -no-exec", async () => {
    const password = await world.ok("ssh -mode=otp -role=office -no-exec -field=key me@127.0.0.1");
    expect(await world.ok(`write -field=username ssh/verify otp=${password}`)).toBe("me");
    expect(await leases()).toBe(0);
  });

  test.each([
    ["ssh me@127.0.0.1", 1, "Missing -mode: ca or otp"],
    ["ssh -mode=x me@127.0.0.1", 1, "Unknown SSH mode: x"],
    ["ssh -mode=ca me@127.0.0.1", 1, "Missing -role"],
    ["ssh -mode=ca -role=x -public-key-path=none me@127.0.0.1", 1, "failed to read public key: open none"],
    ["ssh -mode=otp -role=office -- -oProxyCommand=true", 1, "is not user@host"],
    ["ssh -mode=otp -role=nope me@127.0.0.1", 2, 'Role "nope" not found'],
    ["ssh -mode=otp me@127.0.0.1 -ssh-executable=/none/such", 1, "cannot be started"],
  ])("%s is refused", async (line, code, text) => {
    const ran = await world.run(line, { env: { PATH: "/nowhere" } });
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(text)]);
  });
});
