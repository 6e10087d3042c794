import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { JsonObject } from "../../../src/base/json.ts";
import { type Sshd, sshdMissing, startSshd } from "../../servers/sshd.ts";
import { SshWorld } from "./world.ts";

const missing = sshdMissing();

describe.skipIf(missing !== undefined)(
  `an OpenSSH server${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let world: SshWorld;
    let sshd: Sshd;
    const keys = new Map<string, string>();

    beforeAll(async () => {
      world = await SshWorld.create();
      // The server goes by the machine's clock.
      world.core.advance((Date.now() - world.core.now) / 1000);
      const { public_key } = await world.write("config/ca", { key_type: "rsa", key_bits: 2048 });
      await world.write("roles/hosts", {
        key_type: "ca",
        allow_host_certificates: true,
        allowed_domains: "*",
      });
      await world.write("roles/users", {
        key_type: "ca",
        allow_user_certificates: true,
        allowed_users: "*",
        allowed_extensions: "*",
        default_extensions: { "permit-pty": "" },
      });
      sshd = await startSshd(String(public_key), async (line) => {
        const body = { public_key: line, cert_type: "host", valid_principals: "127.0.0.1" };
        return String((await world.write("sign/hosts", body)).signed_key);
      });
      writeFileSync(world.path("known_hosts"), sshd.knownHosts);
      for (const [name, ...options] of [
        ["ed25519", "-t", "ed25519"],
        ["ecdsa", "-t", "ecdsa", "-b", "384"],
        ["rsa", "-t", "rsa", "-b", "2048"],
      ] as const) {
        keys.set(name, world.keygen(name, ...options));
      }
    });

    afterAll(async () => {
      await sshd.stop();
      world.directory.remove();
    });

    /** Logs in with a certificate, and runs `echo in`. */
    async function logIn(name: string, body: JsonObject = {}): Promise<string> {
      const asked = { public_key: keys.get(name) ?? "", valid_principals: sshd.user, ...body };
      const { signed_key } = await world.write("sign/users", asked);
      writeFileSync(world.path(`${name}-cert.pub`), String(signed_key));
      const options = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        `UserKnownHostsFile=${world.path("known_hosts")}`,
        "StrictHostKeyChecking=yes",
        `CertificateFile=${world.path(`${name}-cert.pub`)}`,
      ].flatMap((option) => ["-o", option]);
      const target = ["-p", String(sshd.port), "-i", world.path(name), `${sshd.user}@127.0.0.1`, "echo in"];
      const ran = spawnSync("ssh", ["-F", "none", ...options, ...target], { timeout: 30_000 });
      return ran.status === 0 ? ran.stdout.toString().trim() : ran.stderr.toString();
    }

    test.each(["ed25519", "ecdsa", "rsa"])(
      "lets a user with a certificate of a key of kind %s in",
      async (name) => {
        expect(await logIn(name)).toBe("in");
      },
    );

    test("runs the command that the certificate says", async () => {
      expect(await logIn("ed25519", { critical_options: { "force-command": "echo forced" } })).toBe("forced");
    });

    test("lets nobody in with another principal, from another address, or with a certificate of another authority", async () => {
      expect(await logIn("ed25519", { valid_principals: "somebody" })).toContain("Permission denied");
      expect(await logIn("ed25519", { critical_options: { "source-address": "10.0.0.0/8" } })).toContain(
        "Permission denied",
      );
      await world.core.send("DELETE", "ssh/config/ca");
      await world.write("config/ca", { key_type: "ed25519" });
      expect(await logIn("ed25519")).toContain("Permission denied");
    });
  },
);
