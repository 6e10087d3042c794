import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../e2e/world.ts";
import { RECOVERY_MS } from "./arena.ts";
import { PKI_PASSES } from "./pki-passes.ts";

describe("the pki engine, killed", () => {
  let world: World;
  beforeAll(async () => {
    world = new World("vsec-failpoints");
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable pki");
    await world.ok("write pki/root/generate/internal common_name=Root ttl=700h key_type=ec");
    await world.ok("write pki/roles/r allow_any_name=true key_type=ec generate_lease=true ttl=24h");
  });
  afterAll(() => world?.remove());

  const list = async (path: string): Promise<string[]> => {
    const { code, stdout } = await world.run(`list -format=json ${path}`);
    return code === 0 ? (JSON.parse(stdout) as string[]) : [];
  };
  /** The serial numbers on the CRL, as openssl reads it. */
  const onCrl = async (): Promise<string[]> => {
    const input = await world.ok("read -format=raw pki/crl/pem");
    const { stdout } = spawnSync("openssl", ["crl", "-noout", "-text"], { input, encoding: "utf8" });
    return [...stdout.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, hex = ""]) =>
      (hex.toLowerCase().match(/../g) ?? []).join(":"),
    );
  };
  const killed = async (line: string, failpoint: string): Promise<void> => {
    const { signal, stdout } = await world.run(line, { env: { VSEC_FAILPOINT: failpoint } });
    expect({ signal, stdout }).toEqual({ signal: "SIGKILL", stdout: "" });
  };
  /** A daemon takes up what the killed command had begun, and looks once more when no creator can be at work any more. */
  const recover = async (): Promise<void> => {
    for (const times of [1, 2]) {
      await world.ok("daemon -once", { env: { VSEC_CLOCK_OFFSET_MS: String(times * RECOVERY_MS) } });
    }
  };
  const leases = (): Promise<string[]> => list("sys/leases/lookup/pki/issue/r");
  /** Issues a certificate. @returns Its serial number. */
  const issue = (name: string, env: Record<string, string> = {}): Promise<string> =>
    world.ok(`write -field=serial_number pki/issue/r common_name=${name}`, { env });

  test("passes exactly the places where it is killed", async () => {
    const serial = await issue("a.b", { VSEC_FAILPOINT_LOG: "passed" });
    await world.ok(`write pki/revoke serial_number=${serial}`, { env: { VSEC_FAILPOINT_LOG: "passed" } });
    const passed = readFileSync(join(world.home, "passed"), "utf8").split("\n");
    expect(passed.filter((name) => name.startsWith("pki:"))).toEqual([...PKI_PASSES]);
  });

  test("before a certificate is kept leaves none, and no lease", async () => {
    const [certs, before] = [await list("pki/certs"), await leases()];
    await killed("write pki/issue/r common_name=signed.b", "pki:signed");
    expect((await leases()).length).toBe(before.length + 1);
    await recover();
    expect(await list("pki/certs")).toEqual(certs);
    expect(await leases()).toEqual(before);
  });

  test("after it is kept has it revoked, as nobody was shown it", async () => {
    const before = await list("pki/certs");
    await killed("write pki/issue/r common_name=stored.b", "pki:stored");
    const [serial = ""] = (await list("pki/certs")).filter((one) => !before.includes(one));
    expect(serial).not.toBe("");
    await recover();
    expect(await list("pki/certs/revoked")).toContain(serial);
    expect(await onCrl()).toContain(serial);
  });

  test("while it revokes has done all of it or nothing", async () => {
    const serial = await issue("revoking.b");
    const revoked = await list("pki/certs/revoked");
    await killed(`write pki/revoke serial_number=${serial}`, "pki:revoking");
    expect(await list("pki/certs/revoked")).toEqual(revoked);
    expect(await onCrl()).not.toContain(serial);
    await world.ok(`write pki/revoke serial_number=${serial}`);
    expect(await list("pki/certs/revoked")).toContain(serial);
    expect(await onCrl()).toContain(serial);
  });
});
