import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/base/json.ts";
import { dataOf } from "../../core/world.ts";
import { PkiWorld, YEARS_SECONDS } from "./world.ts";

let pki: PkiWorld;
let root: JsonObject;
beforeAll(async () => {
  pki = await PkiWorld.create();
  root = await pki.root();
  await pki.role("r", { ttl: "24h" });
});
afterAll(() => pki.remove());

/** A CRL as openssl reads it, its signature verified. */
async function crl(path = "pki/crl") {
  const { status, bytes } = await pki.raw(path);
  const file = pki.file(bytes);
  const ca = pki.file(String(root.certificate));
  const { text } = pki.openssl("crl", "-inform", "der", "-in", file, "-noout", "-text", "-CAfile", ca);
  const serials = [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, hex = ""]) => hex.toLowerCase());
  const [, number = "0"] = /X509v3 CRL Number:\s*\n\s*(\d+)/.exec(text) ?? [];
  const [, base] = /Delta CRL Indicator: critical\s*\n\s*(\d+)/.exec(text) ?? [];
  return { status, text, serials, number: Number(number), base, isGood: text.includes("verify OK"), file };
}

const issue = (name = "a.b") => pki.must("pki/issue/r", { common_name: name });
const hexOf = (serial: unknown): string => String(serial).replaceAll(":", "");

describe("a revocation", () => {
  test("by serial number is on the CRL at once, and openssl no longer trusts the certificate", async () => {
    const before = await crl();
    expect(before).toMatchObject({ status: 200, isGood: true, serials: [] });
    const leaf = await issue();
    const answer = await pki.must("pki/revoke", { serial_number: String(leaf.serial_number) });
    expect(answer).toEqual({
      revocation_time: Math.floor(pki.world.now / 1000),
      revocation_time_rfc3339: new Date(pki.world.now).toISOString().replace(/\.?0*Z$/, "Z"),
      state: "revoked",
    });
    const after = await crl();
    expect(after).toMatchObject({ isGood: true, serials: [hexOf(leaf.serial_number)] });
    expect(after.number).toBe(before.number + 1);
    const crlPem = (await pki.raw("pki/crl/pem")).bytes.toString();
    const checked = pki.distrust(
      String(leaf.certificate),
      `${root.certificate}\n${crlPem}`,
      [],
      "-crl_check",
    );
    expect(checked).toContain("certificate revoked");
    const other = await issue();
    expect(pki.distrust(String(other.certificate), `${root.certificate}\n${crlPem}`, [], "-crl_check")).toBe(
      "",
    );
    expect(pki.certtool("--crl-info", "--inder", "--infile", after.file).text).toContain(
      "Revoked certificates (1)",
    );
    expect(dataOf(await pki.world.send("LIST", "pki/certs/revoked/")).keys).toEqual([
      String(leaf.serial_number),
    ]);
  });

  test("of what is revoked already answers when it was, and adds nothing", async () => {
    const { serial_number: serial = "" } = await issue();
    const first = await pki.must("pki/revoke", { serial_number: serial });
    const { number } = await crl();
    pki.world.advance(60);
    expect(await pki.must("pki/revoke", { serial_number: String(serial).replaceAll(":", "-") })).toEqual(
      first,
    );
    expect((await crl()).number).toBe(number);
  });

  test("of a certificate that was not kept takes the certificate itself", async () => {
    await pki.role("unkept", { no_store: true, ttl: "1h" });
    const leaf = await pki.must("pki/issue/unkept", { common_name: "a.b" });
    await pki.must("pki/revoke", { certificate: String(leaf.certificate) });
    expect((await crl()).serials).toContain(hexOf(leaf.serial_number));
    await pki.mount("stranger");
    const stranger = await pki.must("stranger/root/generate/internal", { common_name: "S", key_type: "ec" });
    expect(await pki.refused("pki/revoke", { certificate: String(stranger.certificate) })).toContain(
      "was not issued by an issuer of this mount",
    );
  });

  test("with its key needs that key", async () => {
    const leaf = await issue();
    const other = await issue();
    const request = { serial_number: String(leaf.serial_number) };
    expect(
      await pki.refused("pki/revoke-with-key", { ...request, private_key: String(other.private_key) }),
    ).toBe("provided private key does not match certificate's public key");
    expect((await crl()).serials).not.toContain(hexOf(leaf.serial_number));
    await pki.must("pki/revoke-with-key", { ...request, private_key: String(leaf.private_key) });
    expect((await crl()).serials).toContain(hexOf(leaf.serial_number));
  });

  test("of an expired certificate is only a warning, and a root does not go on its own CRL", async () => {
    const { serial_number: serial = "" } = await pki.must("pki/issue/r", { common_name: "a.b", ttl: "1m" });
    pki.world.advance(61);
    const { body } = await pki.world.put("pki/revoke", { serial_number: serial });
    expect((body as { warnings: string[] }).warnings).toEqual([
      `certificate with serial ${serial} already expired; refusing to add to CRL`,
    ]);
    expect(await pki.refused("pki/revoke", { serial_number: String(root.serial_number) })).toBe(
      `adding issuer (id: ${root.issuer_id}) to its own CRL is not allowed`,
    );
  });

  test("of many at once loses none", async () => {
    const leaves = await Promise.all(Array.from({ length: 12 }, (_, index) => issue(`n${index}.b`)));
    await Promise.all(
      leaves.map(({ serial_number: serial = "" }) => pki.must("pki/revoke", { serial_number: serial })),
    );
    const { serials, isGood } = await crl();
    expect(isGood).toBe(true);
    expect(
      leaves.map((leaf) => hexOf(leaf.serial_number)).filter((serial) => !serials.includes(serial)),
    ).toEqual([]);
  });

  test("of an intermediate goes on its root's CRL, and ends its issuing", async () => {
    const { csr } = await pki.must("pki/intermediate/generate/internal", {
      common_name: "I",
      key_type: "ec",
    });
    const signed = await pki.must("pki/root/sign-intermediate", {
      csr: String(csr),
      common_name: "I",
      ttl: "8760h",
    });
    const { imported_issuers: imported } = await pki.must("pki/intermediate/set-signed", {
      certificate: String(signed.certificate),
    });
    const [id = ""] = imported as string[];
    expect(await pki.must(`pki/issuer/${id}/revoke`)).toMatchObject({
      revoked: true,
      revocation_time: Math.floor(pki.world.now / 1000),
      usage: "read-only,crl-signing,ocsp-signing",
    });
    expect((await crl()).serials).toContain(hexOf(signed.serial_number));
    expect(await pki.refused(`pki/issuer/${id}/issue/r`, { common_name: "a.b" })).toContain("does not allow");
    const again = await pki.world.send("PATCH", `pki/issuer/${id}`, {
      body: { usage: "issuing-certificates" },
    });
    expect(again.status).toBe(400);
  });
});

describe("a CRL", () => {
  test("is rebuilt as due work before it expires, and by whoever reads it after that", async () => {
    const { number } = await crl();
    pki.world.advance(59 * 3600);
    await pki.world.daemon();
    expect((await crl()).number).toBe(number);
    pki.world.advance(2 * 3600);
    await pki.world.daemon();
    expect((await crl()).number).toBe(number + 1);
    // Nothing ran for a week.
    pki.world.advance(7 * 24 * 3600);
    const late = await crl();
    expect(late.number).toBe(number + 2);
    expect(late.isGood).toBe(true);
  });

  test("is rebuilt when it is asked for", async () => {
    const { number } = await crl();
    expect(await pki.read("pki/crl/rotate")).toEqual({ success: true });
    expect((await crl()).number).toBe(number + 1);
    const { body } = await pki.world.get("pki/crl/rotate-delta");
    expect((body as { warnings: string[] }).warnings).toEqual([
      "requested rebuild of delta CRL when delta CRL is not enabled; this is a no-op",
    ]);
  });

  test("waits for its time with auto_rebuild, while deltas tell what is new", async () => {
    await pki.must("pki/config/crl", {
      auto_rebuild: true,
      enable_delta: true,
      delta_rebuild_interval: "15m",
    });
    const complete = await crl();
    const empty = await crl("pki/crl/delta");
    expect(empty).toMatchObject({ isGood: true, serials: [], base: String(complete.number) });
    const leaf = await issue("delta.b");
    await pki.must("pki/revoke", { serial_number: String(leaf.serial_number) });
    expect((await crl()).number).toBe(complete.number);
    expect((await crl("pki/crl/delta")).serials).toEqual([]);
    pki.world.advance(16 * 60);
    await pki.world.daemon();
    expect((await crl()).number).toBe(complete.number);
    const delta = await crl("pki/crl/delta");
    expect(delta).toMatchObject({
      isGood: true,
      serials: [hexOf(leaf.serial_number)],
      base: String(complete.number),
    });
    expect(delta.number).toBeGreaterThan(empty.number);
    // At its time the complete one takes over, and the delta begins anew.
    pki.world.advance(61 * 3600);
    await pki.world.daemon();
    const next = await crl();
    expect(next.serials).toContain(hexOf(leaf.serial_number));
    expect(await crl("pki/crl/delta")).toMatchObject({ serials: [], base: String(next.number) });
  });

  test("is not sent again to who has it, where the mount lets the headers through", async () => {
    const read = (headers: Record<string, string>) =>
      pki.world.core.handle({ method: "GET", path: "pki/crl", headers });
    const whole = await read({ "if-modified-since": new Date(pki.world.now + 60_000).toUTCString() });
    expect([whole.status, whole.headers?.["Last-Modified"]]).toEqual([200, undefined]);
    await pki.must("sys/mounts/pki/tune", {
      passthrough_request_headers: ["If-Modified-Since"],
      allowed_response_headers: ["Last-Modified"],
    });
    pki.world.advance(5);
    const since = (await read({})).headers?.["Last-Modified"] ?? "";
    expect(Date.parse(since)).toBeLessThanOrEqual(pki.world.now);
    expect((await read({ "if-modified-since": since })).status).toBe(304);
    expect((await read({ "if-modified-since": "never" })).status).toBe(200);
    pki.world.advance(5);
    await pki.read("pki/crl/rotate");
    expect((await read({ "if-modified-since": since })).status).toBe(200);
  });

  test("is empty when CRLs are disabled", async () => {
    await pki.must("pki/config/crl", { auto_rebuild: false, enable_delta: false, disable: true });
    expect(await crl()).toMatchObject({ isGood: true, serials: [] });
    expect((await pki.raw("pki/crl/delta")).status).toBe(204);
    await pki.must("pki/config/crl", { disable: false });
    expect((await crl()).serials.length).toBeGreaterThan(0);
  });

  test("of a given list, and one of several CRLs, are signed on request", async () => {
    const signed = await pki.must("pki/issuer/default/sign-revocation-list", {
      crl_number: 7,
      revoked_certs: [{ serial_number: "0a:0b", revocation_time: "2026-01-01T00:00:00Z" }],
    });
    const resigned = await pki.must("pki/issuer/default/resign-crls", {
      crl_number: 8,
      crls: [String(signed.crl), (await pki.raw("pki/crl/pem")).bytes.toString()],
    });
    const { text } = pki.openssl("crl", "-in", pki.file(String(resigned.crl)), "-noout", "-text");
    expect(text).toContain("Serial Number: 0A0B");
    expect((text.match(/Serial Number/g) ?? []).length).toBe((await crl()).serials.length + 1);
    const forged = String(signed.crl).replace(
      /\n(.{30})/,
      (_all, line: string) => `\n${line.split("").reverse().join("")}`,
    );
    expect(await pki.refused("pki/issuer/default/resign-crls", { crl_number: 9, crls: [forged] })).not.toBe(
      "",
    );
    expect(await pki.refused("pki/issuer/default/resign-crls", { crls: [String(signed.crl)] })).toContain(
      "crl_number",
    );
  });
});

describe("a tidy", () => {
  test("removes what has long expired, from the store and from the CRL, and nothing else", async () => {
    const old = await issue("old.b");
    await pki.must("pki/revoke", { serial_number: String(old.serial_number) });
    const kept = await pki.must("pki/issue/r", { common_name: "kept.b", ttl: "700h" });
    await pki.must("pki/revoke", { serial_number: String(kept.serial_number) });
    pki.world.advance((24 + 73) * 3600);
    const { status, body } = await pki.world.put("pki/tidy", {
      tidy_cert_store: true,
      tidy_revoked_certs: true,
    });
    expect(status).toBe(202);
    expect((body as { warnings: string[] }).warnings.join()).toContain(
      "Tidy operation successfully started.",
    );
    expect(await pki.read("pki/tidy-status")).toMatchObject({
      state: "Finished",
      error: null,
      tidy_cert_store: true,
    });
    expect((await pki.world.get(`pki/cert/${old.serial_number}`)).status).toBe(404);
    expect((await pki.world.get(`pki/cert/${kept.serial_number}`)).status).toBe(200);
    const { serials } = await crl();
    expect(serials).toContain(hexOf(kept.serial_number));
    expect(serials).not.toContain(hexOf(old.serial_number));
  });

  test("of nothing is only a warning", async () => {
    const { body } = await pki.world.put("pki/tidy", {});
    expect((body as { warnings: string[] }).warnings.join()).toContain("no tidy operations were set");
  });

  test("is due at intervals when told to", async () => {
    await pki.must("pki/config/auto-tidy", {
      enabled: true,
      interval_duration: "12h",
      tidy_cert_store: true,
    });
    const { serial_number: serial = "" } = await pki.must("pki/issue/r", { common_name: "a.b", ttl: "1h" });
    pki.world.advance(74 * 3600);
    await pki.world.daemon();
    expect((await pki.world.get(`pki/cert/${serial}`)).status).toBe(404);
    expect(await pki.read("pki/tidy-status")).toMatchObject({ state: "Finished" });
    expect((await pki.read("pki/tidy-status")).last_auto_tidy_finished).not.toBeNull();
  });

  test("removes issuers that have long expired, but not the default one", async () => {
    await pki.must("pki/root/generate/internal", {
      common_name: "Short",
      issuer_name: "short",
      ttl: "1h",
      key_type: "ec",
    });
    pki.world.advance(8762 * 3600);
    await pki.must("pki/tidy", { tidy_expired_issuers: true });
    expect((await pki.world.get("pki/issuer/short")).status).toBe(400);
    expect((await pki.world.get("pki/issuer/default")).status).toBe(200);
    expect(YEARS_SECONDS).toBeGreaterThan(8762 * 3600);
  });
});
