/** A client from npm gets certificates from the compiled daemon over TLS: for names that it proves by HTTP and by DNS. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import acme from "acme-client";
import { DnsServer } from "../engines/pki/acme/dns-server.ts";
import { ChallengeServer } from "../engines/pki/acme/world.ts";
import { run } from "../engines/pki/x509/authority.ts";
import { World } from "./world.ts";

const world = new World();
let web: ChallengeServer;
let dns: DnsServer;
let accountKey: Buffer;

beforeAll(async () => {
  [web, dns] = await Promise.all([ChallengeServer.open(), DnsServer.open()]);
  await world.reachOver("tls");
  acme.axios.defaults.httpsAgent = new Agent({ ca: readFileSync(join(world.home, "tls/vsec-test-CA.crt")) });
  accountKey = await acme.crypto.createPrivateEcdsaKey();
  await world.ok("operator init -seal=key-file");
  await world.ok("secrets enable -max-lease-ttl=87600h pki");
  await world.ok(
    "secrets tune -allowed-response-headers=Replay-Nonce -allowed-response-headers=Link -allowed-response-headers=Location pki",
  );
  const root = await world.ok([
    ..."write -field=certificate pki/root/generate/internal common_name=Root".split(" "),
    ...["ttl=87600h", "key_type=ec"],
  ]);
  world.file("ca.crt", `${root}\n`);
  await world.ok(
    "write pki/roles/web allowed_domains=example.test allow_subdomains=true key_type=any max_ttl=72h",
  );
  await world.ok(`write pki/config/cluster path=${world.address}/v1/pki aia_path=${world.address}/v1/pki`);
  await world.ok(`write pki/config/acme enabled=true dns_resolver=${dns.address} http01_port=${web.port}`);
});

afterAll(async () => {
  web?.close();
  dns?.close();
  await world.close();
});

interface Binding {
  readonly kid: string;
  readonly hmacKey: string;
}

function clientFor(directory: string, key: Buffer, externalAccountBinding?: Binding): acme.Client {
  return new acme.Client({
    directoryUrl: `${world.address}/v1/pki/${directory}/directory`,
    accountKey: key,
    backoffMin: 100,
    backoffMax: 500,
    backoffAttempts: 100,
    ...(externalAccountBinding === undefined ? {} : { externalAccountBinding }),
  });
}

/** Orders a certificate, and proves its names in the first way that is offered. */
async function obtain(
  client: acme.Client,
  names: readonly string[],
  priority: readonly string[],
): Promise<string> {
  const [commonName = ""] = names;
  const [, csr] = await acme.crypto.createCsr({ commonName, altNames: [...names] });
  const place = (authorization: acme.Authorization, type: string, token: string) =>
    type === "dns-01"
      ? `_acme-challenge.${authorization.identifier.value}`
      : `/.well-known/acme-challenge/${token}`;
  return client.auto({
    csr,
    email: "ops@example.test",
    termsOfServiceAgreed: true,
    skipChallengeVerification: true,
    challengePriority: [...priority],
    challengeCreateFn: async (authorization, challenge, keyAuthorization) => {
      const where = place(authorization, challenge.type, challenge.token);
      if (challenge.type === "dns-01")
        dns.texts.set(where, [...(dns.texts.get(where) ?? []), keyAuthorization]);
      else web.answers.set(where, { body: keyAuthorization });
    },
    challengeRemoveFn: async (authorization, challenge) => {
      const where = place(authorization, challenge.type, challenge.token);
      web.answers.delete(where);
      dns.texts.delete(where);
    },
  });
}

/** What openssl says of a chain's first certificate, by the root. */
function verify(chain: string, ...options: readonly string[]): string {
  const file = join(world.home, world.file("chain.pem", chain));
  const { stdout, stderr } = run(
    "openssl",
    "verify",
    ...options,
    "-CAfile",
    join(world.home, "ca.crt"),
    file,
  );
  return stdout + stderr;
}

const digestOf = (chain: string): string => createHash("sha256").update(chain).digest("hex");

describe("an ACME client", () => {
  let chain = "";

  test("obtains a certificate by HTTP, which openssl verifies", async () => {
    const client = clientFor("roles/web/acme", accountKey);
    chain = await obtain(client, ["app.example.test", "www.example.test"], ["http-01"]);
    expect(verify(chain)).toContain("chain.pem: OK");
    const certificate = new X509Certificate(chain);
    expect(certificate.subjectAltName?.split(", ").sort()).toEqual([
      "DNS:app.example.test",
      "DNS:www.example.test",
    ]);
    expect(web.asked.some((line) => line.startsWith(`app.example.test:${web.port} /.well-known/`))).toBe(
      true,
    );
  });

  test("renews it with the account that its key has", async () => {
    const client = clientFor("roles/web/acme", accountKey);
    const renewed = await obtain(client, ["app.example.test", "www.example.test"], ["http-01"]);
    expect(digestOf(renewed)).not.toBe(digestOf(chain));
    expect(verify(renewed)).toContain("chain.pem: OK");
  });

  test("revokes it: the mount knows, and openssl refuses it by the CRL and by OCSP", async () => {
    const client = clientFor("roles/web/acme", accountKey);
    await client.createAccount({ termsOfServiceAgreed: true });
    await client.revokeCertificate(chain, { reason: 4 });
    const serial = new X509Certificate(chain).serialNumber.toLowerCase().replace(/..\B/g, "$&-");
    const { data } = await world.json<{ data: { revocation_time: number } }>(`read pki/cert/${serial}`);
    expect(data.revocation_time).toBeGreaterThan(0);
    const crl = world.file("crl.pem", await world.ok("read -format=raw pki/crl/pem"));
    expect(verify(chain, "-crl_check", "-CRLfile", join(world.home, crl))).toContain("certificate revoked");
    await expect(client.revokeCertificate(chain)).rejects.toThrow("revoked already");
  });

  test("obtains a wildcard and its bare name by DNS", async () => {
    const client = clientFor("acme", await acme.crypto.createPrivateKey());
    const wild = await obtain(client, ["*.wild.test", "wild.test"], ["dns-01"]);
    expect(verify(wild)).toContain("chain.pem: OK");
    expect(new X509Certificate(wild).checkHost("any.wild.test")).toBeDefined();
    expect(dns.asked).toContain("_acme-challenge.wild.test");
  });

  test("binds its account to a key that it was given, where that is asked for", async () => {
    await world.ok("write pki/config/acme eab_policy=new-account-required");
    const key = await acme.crypto.createPrivateEcdsaKey();
    await expect(clientFor("acme", key).createAccount({ termsOfServiceAgreed: true })).rejects.toThrow(
      "external account binding",
    );
    const { data } = await world.json<{ data: { id: string; key: string } }>("write -f pki/acme/new-eab");
    const client = clientFor("acme", key, { kid: data.id, hmacKey: data.key });
    expect((await client.createAccount({ termsOfServiceAgreed: true })).status).toBe("valid");
    await client.updateAccountKey(await acme.crypto.createPrivateEcdsaKey());
    expect((await client.updateAccount({ status: "deactivated" })).status).toBe("deactivated");
  });
});
