import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { JsonObject } from "../../../src/base/json.ts";
import { has, PkiWorld } from "./world.ts";

let pki: PkiWorld;
let ca: string;
beforeAll(async () => {
  pki = await PkiWorld.create();
  for (const type of ["rsa", "ec", "ed25519"]) await pki.role(type, { key_type: type });
  ca = String((await pki.root("rsa")).certificate);
});
afterAll(() => pki.remove());

const issue = (role: string, name: string): Promise<JsonObject> =>
  pki.must(`pki/issue/${role}`, { common_name: name, ip_sans: "127.0.0.1", ttl: "1h" });

/** A server that greets each client by the name of its certificate. */
async function serve(options: TlsOptions): Promise<{ port: number; close(): void }> {
  const server = createServer(options, (socket) => {
    socket.on("error", () => undefined);
    const { subject } = socket.getPeerCertificate();
    socket.end(`hello ${subject?.CN ?? "nobody"}\n`);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** What a client is told, or why it was not. */
async function greet(port: number, options: JsonObject): Promise<string> {
  const socket: TLSSocket = connect({
    port,
    host: "127.0.0.1",
    ca,
    servername: "server.example.com",
    ...options,
  });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const failure = new Promise<string>((resolve) => {
    socket.on("error", ({ message }) => resolve(`failed: ${message}`));
    socket.on("close", () => resolve(text));
  });
  return failure;
}

describe("a handshake of TLS, both sides with certificates of the mount,", () => {
  test.each(["rsa", "ec"])("goes well with keys of type %s", async (type) => {
    const server = await issue(type, "server.example.com");
    const client = await issue(type, "client.example.com");
    const { port, close } = await serve({
      key: String(server.private_key),
      cert: String(server.certificate),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const own = { key: client.private_key ?? "", cert: client.certificate ?? "" };
    expect(await greet(port, own)).toBe("hello client.example.com\n");
    expect(await greet(port, { ...own, servername: "other.example.com" })).toContain("failed");
    // openssl's client, by the same rules.
    const files = [
      "-cert",
      pki.file(String(client.certificate)),
      "-key",
      pki.file(String(client.private_key)),
    ];
    const said = await openssl(
      "s_client",
      "-connect",
      `127.0.0.1:${port}`,
      "-CAfile",
      pki.file(ca),
      "-verify_return_error",
      "-verify_hostname",
      "server.example.com",
      ...files,
    );
    expect(said).toContain("Verify return code: 0 (ok)");
    expect(said).toContain("hello client.example.com");
    close();
  });

  test.each(["rsa", "ec", "ed25519"])(
    "goes well with openssl's server and a key of type %s",
    async (type) => {
      const server = await issue(type, "server.example.com");
      const child = spawn("openssl", [
        ...[
          "s_server",
          "-accept",
          "127.0.0.1:0",
          "-naccept",
          "1",
          "-rev",
          "-cert",
          pki.file(String(server.certificate)),
        ],
        ...["-key", pki.file(String(server.private_key))],
      ]);
      const port = await new Promise<number>((resolve, reject) => {
        child.on("exit", () => reject(new TypeError("openssl ended")));
        child.stdout.on("data", (chunk: Buffer) => {
          const [, found] = /ACCEPT .*:(\d+)/.exec(chunk.toString()) ?? [];
          if (found !== undefined) resolve(Number(found));
        });
      });
      const socket = connect({ port, host: "127.0.0.1", ca, servername: "server.example.com" });
      await once(socket, "secureConnect");
      expect(socket.authorized).toBe(true);
      expect(socket.getPeerCertificate().subject.CN).toBe("server.example.com");
      socket.destroy();
      child.kill();
    },
  );
});

const missing = has("node") ? "" : " (skipped: node is not installed)";

describe.skipIf(missing !== "")(
  `a handshake of Node's own TLS, both sides with certificates,${missing}`,
  () => {
    test.each([
      ["rsa", 2048],
      ["rsa", 4096],
      ["ec", 256],
      ["ed25519", 0],
    ])("goes well with keys of type %s and size %d, and only as it should", async (type, bits) => {
      await pki.role("node", { key_type: type, key_bits: bits });
      const pair = async (name: string): Promise<JsonObject> => {
        const { private_key, certificate } = await issue("node", name);
        return { key: private_key ?? "", cert: certificate ?? "" };
      };
      const names = {
        server: await pair("server.example.com"),
        client: await pair("client.example.com"),
        name: "server.example.com",
      };
      const script = join(import.meta.dir, "node-handshake.mjs");
      const said = await run("node", script, pki.file(JSON.stringify({ ca, ...names })));
      expect(JSON.parse(said)).toEqual({
        both: "hello client.example.com",
        old: "hello client.example.com",
        address: "hello client.example.com",
        nobody: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
        elsewhere: "ERR_TLS_CERT_ALTNAME_INVALID",
      });
    });
  },
);

async function openssl(...args: readonly string[]): Promise<string> {
  return run("openssl", ...args);
}

/** What a program prints. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(program, args);
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.resume();
  await once(child, "close");
  return text;
}
