/** One-time passwords of the ssh engine at a real server, which asks the daemon by way of PAM as docs/ssh.md has it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pamSshdMissing, type Sshd, startPamSshd } from "../servers/sshd.ts";
import { World } from "./world.ts";

const missing = pamSshdMissing();
const skipped = missing === undefined ? "" : ` (skipped: ${missing})`;

/** The program of the documentation, with the places of this world in it. */
function helper(world: World): string {
  const page = readFileSync(join(import.meta.dir, "../../docs/ssh.md"), "utf8");
  const [, script = ""] = /```sh\n(#!\/bin\/sh\n[^`]*)```/.exec(page) ?? [];
  const { VSEC_ADDR = "", VSEC_CACERT = "" } = world.environment;
  const changes = [
    ["https://vsec.example.com:8200", VSEC_ADDR],
    ["/etc/vsec/ca.crt", VSEC_CACERT],
    ["/usr/local/bin/vsec", world.binary],
    // The server listens where hostname does not look.
    ["$(hostname -I)", "127.0.0.1"],
  ] as const;
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new TypeError(`the helper of docs/ssh.md has no ${from}`);
    return text.replaceAll(from, to);
  }, script);
}

describe.skipIf(missing !== undefined)(`a one-time password${skipped}`, () => {
  const world = new World();
  let sshd: Sshd;

  /** A program of the home directory. @returns Its path. */
  function program(name: string, text: string): string {
    mkdirSync(join(world.home, "bin"), { recursive: true });
    world.file(join("bin", name), text);
    chmodSync(join(world.home, "bin", name), 0o700);
    return join(world.home, "bin", name);
  }

  beforeAll(async () => {
    await world.reachOver("tls");
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable ssh");
    sshd = await startPamSshd(program("vsec-otp", helper(world)));
    await world.ok(`write ssh/roles/office key_type=otp default_user=${sshd.user} cidr_list=127.0.0.0/8`);
    await world.ok("write ssh/roles/other key_type=otp default_user=nobody cidr_list=127.0.0.0/8");
    // As sshpass does it, which is not everywhere.
    const ask = program("ask", '#!/bin/sh\necho "$SSHPASS"\n');
    const answers = `SSH_ASKPASS=${ask} SSH_ASKPASS_REQUIRE=force exec "$@"`;
    program("sshpass", `#!/bin/sh\nshift\n${answers}\n`);
  });
  afterAll(async () => {
    await sshd?.stop();
    await world.remove();
  });

  const options = (): readonly string[] => [
    ...["-F", "none", "-p", String(sshd.port), "-o", "NumberOfPasswordPrompts=1"],
    ...["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"],
  ];

  /** Logs in with a password, and says a word there. */
  function login(password: string): { status: number | null; stdout: string } {
    const bin = join(world.home, "bin", "sshpass");
    const line = ["-e", "ssh", ...options(), `${sshd.user}@127.0.0.1`, "echo in"];
    const env = { PATH: process.env.PATH ?? "", SSHPASS: password };
    return spawnSync(bin, line, { encoding: "utf8", env });
  }

  test("logs in once, and not again", async () => {
    const password = (await world.ok("write -field=key ssh/creds/office ip=127.0.0.1")).trim();
    expect(login(password)).toMatchObject({ status: 0, stdout: "in\n" });
    expect(sshd.log()).toContain("Accepted password");
    expect(login(password)).toMatchObject({ status: 255, stdout: "" });
    expect(sshd.log()).toContain("Failed password");
  });

  test("does not log in another user than it is for, and is used up by the attempt", async () => {
    const password = (await world.ok("write -field=key ssh/creds/other ip=127.0.0.1")).trim();
    expect(login(password).status).toBe(255);
    const { code, stderr } = await world.run(`write ssh/verify otp=${password}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining("OTP not found")]);
  });

  test("does not log in at another address than it is for, nor after it was revoked", async () => {
    const elsewhere = (await world.ok("write -field=key ssh/creds/office ip=127.0.0.2")).trim();
    expect(login(elsewhere).status).toBe(255);
    const issued = await world.json<{ lease_id: string; data: { key: string } }>(
      "write ssh/creds/office ip=127.0.0.1",
    );
    await world.ok(`lease revoke -sync ${issued.lease_id}`);
    expect(login(issued.data.key).status).toBe(255);
    expect(login("").status).toBe(255);
    expect(login("00000000-0000-0000-0000-000000000000").status).toBe(255);
  });

  test("is issued, typed and ended by vsec ssh", async () => {
    const env = { PATH: `${join(world.home, "bin")}:${process.env.PATH}` };
    const leases = (): Promise<readonly string[]> => world.json("list sys/leases/lookup/ssh/creds/office");
    const before = await leases();
    const trust = ["-strict-host-key-checking=no", "-user-known-hosts-file=/dev/null"];
    const line = ["ssh", "-mode=otp", "-role=office", ...trust, `${sshd.user}@127.0.0.1`, "--", ...options()];
    const ran = await world.run([...line, "echo in; exit 7"], { env });
    expect([ran.code, ran.stdout]).toEqual([7, "in\n"]);
    expect(await leases()).toEqual(before);
  });
});
