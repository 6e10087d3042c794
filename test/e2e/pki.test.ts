import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "./world.ts";

/** A day with the PKI engine, in the words of its manual. */
describe("certificates from the command line", () => {
  let world: World;
  beforeAll(async () => {
    world = new World();
    await world.ok("operator init -seal=key-file");
  });
  afterAll(() => world?.remove());

  const openssl = (...args: readonly string[]): string => {
    const { stdout, stderr } = spawnSync("openssl", args, { cwd: world.home, encoding: "utf8" });
    return `${stdout}${stderr}`;
  };

  test("are issued by a root of the mount's own", async () => {
    expect(await world.ok("secrets enable pki")).toBe("Success! Enabled the pki secrets engine at: pki/\n");
    expect(await world.ok("secrets tune -max-lease-ttl=87600h pki")).toBe(
      "Success! Tuned the secrets engine at: pki/\n",
    );
    const ca = await world.ok(
      "write -field=certificate pki/root/generate/internal common_name=example.com ttl=87600h",
    );
    world.file("ca.crt", `${ca}\n`);
    const [, end = ""] = /notAfter=(.*)/.exec(openssl("x509", "-noout", "-enddate", "-in", "ca.crt")) ?? [];
    const years = (Date.parse(end) - Date.now()) / (365 * 24 * 3600_000);
    expect(Math.round(years)).toBe(10);
    const role = await world.ok(
      "write pki/roles/myapp allowed_domains=example.com allow_subdomains=true max_ttl=72h",
    );
    expect(role).toContain("allowed_domains                       [example.com]");
    const leaf = await world.json<{ data: Record<string, string>; lease_id: string }>(
      "write pki/issue/myapp common_name=api.example.com ttl=24h",
    );
    expect(leaf.lease_id).toBe("");
    world.file("api.crt", `${leaf.data.certificate}\n`);
    expect(openssl("verify", "-CAfile", "ca.crt", "api.crt")).toBe("api.crt: OK\n");
  });

  test("are refused for names that the role does not allow, with Vault's words and exit code", async () => {
    const { code, stderr } = await world.run("write pki/issue/myapp common_name=api.example.org");
    expect(code).toBe(2);
    expect(stderr).toContain("Code: 400. Errors:\n\n* common name api.example.org not allowed by this role");
  });

  test("are listed, read, revoked, and then on the CRL", async () => {
    const [serial = ""] = (await world.json<string[]>("list pki/certs")).filter(
      (one) =>
        openssl("x509", "-noout", "-serial", "-in", "api.crt").trim().toLowerCase() ===
        `serial=${one.replaceAll(":", "")}`,
    );
    expect(await world.ok(`read -field=certificate pki/cert/${serial}`)).toBe(
      readFileSync(join(world.home, "api.crt"), "utf8"),
    );
    expect(await world.ok(`write -field=state pki/revoke serial_number=${serial}`)).toBe("revoked");
    world.file("crl.pem", await world.ok("read -format=raw pki/crl/pem"));
    const verdict = openssl("verify", "-CAfile", "ca.crt", "-CRLfile", "crl.pem", "-crl_check", "api.crt");
    expect(verdict).toContain("certificate revoked");
  });

  test("are signed for requests that are read from a file", async () => {
    openssl(
      "req",
      "-new",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "own.key",
      "-out",
      "own.csr",
      "-subj",
      "/CN=own.example.com",
    );
    const own = await world.ok("write -field=certificate pki/sign/myapp csr=@own.csr ttl=1h");
    world.file("own.crt", `${own}\n`);
    expect(openssl("verify", "-CAfile", "ca.crt", "own.crt")).toBe("own.crt: OK\n");
    expect(existsSync(join(world.home, "own.key"))).toBe(true);
  });

  test("nothing of a key is in the store's file", async () => {
    const { data } = await world.json<{ data: Record<string, string> }>(
      "write pki/root/generate/exported common_name=Shown key_type=ec",
    );
    const files = readdirSync(world.store).map((name) => readFileSync(join(world.store, name), "latin1"));
    const store = files.join("");
    expect(store.length).toBeGreaterThan(0);
    const key = (data.private_key ?? "").split("\n")[1] ?? "";
    expect(key.length).toBeGreaterThan(60);
    expect(store).not.toContain(key);
    expect(store).not.toContain("example.com");
  });
});
