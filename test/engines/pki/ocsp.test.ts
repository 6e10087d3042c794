import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { JsonObject } from "../../../src/base/json.ts";
import { type Served, serve } from "../../http/world.ts";
import { temporaryDirectory } from "../../servers/process.ts";

const execute = promisify(execFile);
const directory = temporaryDirectory("vsec-ocsp-");
const at = (name: string): string => join(directory.path, name);

let served: Served;

beforeAll(async () => {
  served = await serve({ tcp: true });
  await put("sys/mounts/pki", { type: "pki" });
  const { certificate } = await put("pki/root/generate/internal", {
    common_name: "Root",
    ttl: "700h",
    key_type: "ec",
  });
  writeFileSync(at("ca.crt"), String(certificate));
  await put("pki/roles/any", { allow_any_name: true, enforce_hostnames: false, key_type: "ec" });
  await put("pki/roles/unkept", {
    allow_any_name: true,
    enforce_hostnames: false,
    key_type: "ec",
    no_store: true,
  });
  await issue("good", "any");
  const bad = await issue("bad", "any");
  await issue("unkept", "unkept");
  await put("pki/revoke", { serial_number: String(bad.serial_number) });
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  directory.remove();
});

async function put(path: string, body: JsonObject): Promise<JsonObject> {
  const { status, body: answer } = await served.instance.handle({
    method: "PUT",
    path,
    body,
    token: served.rootToken,
  });
  if (status >= 400) throw new TypeError(`${path}: ${JSON.stringify(answer)}`);
  return (answer as { data?: JsonObject } | null)?.data ?? {};
}

async function issue(name: string, role: string): Promise<JsonObject> {
  const issued = await put(`pki/issue/${role}`, { common_name: `${name}.test`, ttl: "1h" });
  writeFileSync(at(`${name}.crt`), `${issued.certificate}\n`);
  return issued;
}

/** What openssl says when it asks the responder. */
async function ask(names: readonly string[], ...options: readonly string[]): Promise<string> {
  const certs = names.flatMap((name) => ["-cert", at(`${name}.crt`)]);
  const url = `http://127.0.0.1:${served.port}/v1/pki/ocsp`;
  const args = ["ocsp", "-issuer", at("ca.crt"), "-CAfile", at("ca.crt"), "-url", url, ...options, ...certs];
  const { stdout, stderr } = await execute("openssl", args).catch(
    (error: unknown) => error as { stdout: string; stderr: string },
  );
  return stdout + stderr;
}

/** The request that openssl would send. */
async function requestFor(name: string): Promise<Buffer> {
  const args = [
    "-issuer",
    at("ca.crt"),
    "-cert",
    at(`${name}.crt`),
    "-no_nonce",
    "-reqout",
    at("request.der"),
  ];
  await execute("openssl", ["ocsp", ...args]);
  return readFileSync(at("request.der"));
}

async function exchange(
  path: string,
  init?: RequestInit,
): Promise<{ status: number; type: string | null; bytes: Buffer }> {
  const response = await fetch(`http://127.0.0.1:${served.port}/v1/pki/${path}`, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get("content-type"), bytes };
}

async function post(bytes: Uint8Array, type = "application/ocsp-request") {
  return exchange("ocsp", { method: "POST", headers: { "content-type": type }, body: Buffer.from(bytes) });
}

/** What openssl makes of a response. */
async function shown(bytes: Uint8Array): Promise<string> {
  writeFileSync(at("response.der"), bytes);
  const args = ["ocsp", "-respin", at("response.der"), "-noverify", "-text"];
  const { stdout, stderr } = await execute("openssl", args).catch(
    (error: unknown) => error as { stdout: string; stderr: string },
  );
  return stdout + stderr;
}

describe("the OCSP responder", () => {
  test("tells openssl, which needs no token, what is good and what is revoked, signed and with its nonce", async () => {
    const text = await ask(["good", "bad", "unkept"]);
    expect(text).toContain("Response verify OK");
    expect(text).not.toContain("WARNING");
    expect(text).toContain("good.crt: good");
    expect(text).toContain("bad.crt: revoked");
    expect(text).toContain("unkept.crt: good");
    expect(text).toContain("Next Update");
  });

  test.each(["-sha1", "-sha256", "-sha512"])("knows its issuer by %s", async (hash) => {
    expect(await ask(["good"], hash)).toContain("good.crt: good");
  });

  test("answers GET like POST, also where the base64 has two slashes in a row", async () => {
    const request = await requestFor("bad");
    const plain = await exchange(`ocsp/${encodeURIComponent(request.toString("base64"))}`);
    expect([plain.status, plain.type]).toEqual([200, "application/ocsp-response"]);
    expect(await shown(plain.bytes)).toContain("Cert Status: revoked");
    // A serial number of ones makes the slashes.
    const changed = Buffer.from(request);
    changed.fill(0xff, changed.length - 12);
    const text = changed.toString("base64");
    expect(text).toContain("//");
    for (const sent of [text, encodeURIComponent(text)]) {
      const { status, bytes } = await exchange(`ocsp/${sent}`);
      expect(status).toBe(200);
      expect(await shown(bytes)).toContain("Cert Status: good");
    }
  });

  test("follows the issuer's usage and the configuration", async () => {
    const request = await requestFor("good");
    await put("pki/config/crl", { ocsp_expiry: "0s" });
    expect(await ask(["good"])).not.toContain("Next Update");
    await put("pki/config/crl", { ocsp_disable: true });
    const off = await post(request);
    expect([off.status, off.type]).toEqual([401, "application/ocsp-response"]);
    expect(await shown(off.bytes)).toContain("unauthorized (6)");
    await put("pki/config/crl", { ocsp_disable: false });
    await put("pki/issuer/default", { usage: "issuing-certificates,crl-signing" });
    expect((await post(request)).status).toBe(401);
    await put("pki/issuer/default", { usage: "issuing-certificates,crl-signing,ocsp-signing" });
    expect((await post(request)).status).toBe(200);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("hello")],
    ["JSON", Buffer.from('{"a":1}')],
    ["a request that is cut", Buffer.from("30443042", "hex")],
    ["too much", Buffer.alloc(2049, 0x30)],
  ])("calls %s malformed", async (_what, bytes) => {
    const answer = await post(bytes);
    expect([answer.status, answer.type]).toEqual([400, "application/ocsp-response"]);
    expect(await shown(answer.bytes)).toContain("malformedrequest (1)");
  });

  test("says nothing of another authority's certificates", async () => {
    await put("sys/mounts/other", { type: "pki" });
    await put("other/root/generate/internal", { common_name: "Other", key_type: "ec" });
    const request = await requestFor("good");
    const { status } = await exchange("ocsp", {
      method: "POST",
      headers: { "content-type": "application/ocsp-request" },
      body: new Uint8Array(request),
    });
    expect(status).toBe(200);
    const elsewhere = await fetch(`http://127.0.0.1:${served.port}/v1/other/ocsp`, {
      method: "POST",
      headers: { "content-type": "application/ocsp-request" },
      body: new Uint8Array(request),
    });
    expect(elsewhere.status).toBe(401);
  });

  test("takes a request of its own type only", async () => {
    const answer = await post(await requestFor("good"), "application/json");
    expect([answer.status, answer.type]).toEqual([400, "application/json"]);
  });
});
