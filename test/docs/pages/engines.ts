/** The pages of engines that need nothing but a store. */

import { expect } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { certbotMissing, certbotScript } from "../../servers/certbot.ts";
import { freePort } from "../../servers/process.ts";
import { sshdMissing, startSshd } from "../../servers/sshd.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { inOwnSystem, ownSystemMissing } from "../system.ts";
import { answers, initStore } from "./stores.ts";

const ADDRESS = "127.0.0.1:8200";

/** Has the page's daemon listen at a port that is free. */
async function withDaemon(at: Place): Promise<void> {
  at.replaced.set(ADDRESS, `127.0.0.1:${await freePort()}`);
  await initStore(at);
}

async function prepareSsh(at: Place): Promise<void> {
  await initStore(at);
  mkdirSync(at.at(".ssh"), { mode: 0o700 });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at.at(".ssh/id_ed25519")]);
}

/** Starts a host that trusts the authority as the page says, and lets the page log in there. */
async function startHost(at: Place, text: string): Promise<void> {
  expect(text).toMatch(/^TrustedUserCAKeys \S+\n$/);
  const { world } = at;
  await world.ok("secrets enable -path=hosts ssh");
  await world.ok("write hosts/config/ca key_type=ed25519");
  await world.ok("write hosts/roles/all key_type=ca allow_host_certificates=true allowed_domains=*");
  const sshd = await startSshd(await world.ok("read -field=public_key ssh/config/ca"), (line) => {
    const sign =
      "write -field=signed_key hosts/sign/all cert_type=host valid_principals=127.0.0.1 public_key=@";
    return world.ok(sign + world.file("host.pub", line));
  });
  at.finally(() => sshd.stop());
  const authority = await world.ok("read -field=public_key hosts/config/ca");
  world.file("known_hosts", `@cert-authority [127.0.0.1]:${sshd.port} ${authority}`);
  const options = `-F none -p ${sshd.port} -o BatchMode=yes -o UserKnownHostsFile=${at.at("known_hosts")}`;
  const key = `-o IdentitiesOnly=yes -i ${at.at(".ssh/id_ed25519")}`;
  at.replaced.set("ssh ubuntu@host uptime", `ssh ${options} ${key} ${sshd.user}@127.0.0.1 uptime`);
  at.replaced.set("ubuntu@host uptime", `${sshd.user}@127.0.0.1 -- ${options} uptime`);
}

/** A machine that has both of the page's names, and certbot. */
async function prepareAcme(at: Place): Promise<void> {
  await initStore(at);
  if (ownSystemMissing() !== undefined) return;
  inOwnSystem(at, {
    ownNetwork: true,
    hosts: ["ca.example.com", "www.example.com"],
    layered: ["/var/lib", "/var/log"],
  });
  at.program("certbot", certbotScript());
}

const PASSWORD_HOST = "test/e2e/ssh-password.test.ts logs in at a host that has the page's program";

const acmeMissing = ownSystemMissing() ?? certbotMissing();

export const ENGINE_PAGES: readonly PageExamples[] = [
  { page: "docs/transit.md", prepare: initStore },
  { page: "docs/totp.md", prepare: initStore },
  {
    page: "docs/pki.md",
    prepare: withDaemon,
    after: { "vsec daemon -listen": (at) => answers(`http://${at.here(ADDRESS)}`) },
  },
  {
    page: "docs/acme.md",
    prepare: prepareAcme,
    skip: { "vsec daemon -listen": acmeMissing, "export REQUESTS": acmeMissing, certbot: acmeMissing },
    after: {
      "vsec daemon -listen": async (at) => {
        const asks = "VSEC_ADDR=https://ca.example.com:8200 VSEC_CACERT=ca.crt vsec status";
        expect((await at.shell.run(`until ${asks}; do :; done`, "")).code).toBe(0);
      },
    },
  },
  {
    page: "docs/ssh.md",
    prepare: async (at) => {
      await prepareSsh(at);
      const user = execFileSync("id", ["-un"]).toString().trim();
      const role = "allowed_users=ubuntu,deploy default_user=ubuntu";
      at.replaced.set(role, role.replaceAll("ubuntu", user));
    },
    files: { "/etc/ssh/sshd_config.d/authority.conf": startHost, sshd_config: PASSWORD_HOST },
    skip: {
      "ssh ubuntu@host": sshdMissing(),
      "vsec ssh -mode=ca": sshdMissing(),
      "vsec ssh -mode=otp": PASSWORD_HOST,
    },
    figures: {
      "#!/bin/sh\n# pam_exec": PASSWORD_HOST,
      "auth required pam_exec.so quiet expose_authtok": PASSWORD_HOST,
    },
  },
];
