import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { VsecError } from "../../src/base/errors.ts";
import { openHttpClient } from "../../src/client/http.ts";
import type { ClientTls } from "../../src/client/tls-options.ts";
import { readTlsFiles } from "../../src/daemon/tls-files.ts";
import { type Certificate, CertificateAuthority } from "../servers/certificates.ts";
import { temporaryDirectory } from "../servers/process.ts";
import { echo, RawClient, type Served, serve } from "./world.ts";

const directory = temporaryDirectory("vsec-tls-");
let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let server: Certificate;
let elsewhere: Certificate;
let client: Certificate;
let strangersClient: Certificate;

beforeAll(() => {
  authority = new CertificateAuthority(directory.path);
  stranger = new CertificateAuthority(directory.path, "stranger");
  server = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  elsewhere = authority.issue("elsewhere", "DNS:vault.example");
  client = authority.issue("client", "");
  strangersClient = stranger.issue("strangers-client", "");
});
afterAll(() => directory.remove());

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(VsecError);
    return (error as VsecError).message;
  }
  throw new TypeError("it did not fail");
}

async function read(served: Served, tls: ClientTls, scheme = "https"): Promise<unknown> {
  const address = `${scheme}://127.0.0.1:${served.port}`;
  const http = await openHttpClient({ address, tls, timeoutMs: 10_000 });
  return http.request({ method: "GET", path: "sys/mounts" });
}

const get = (served: Served, reason: string): string =>
  `Get "https://127.0.0.1:${served.port}/v1/sys/mounts": ${reason}`;

describe("over TLS", () => {
  const secure = (certificate: Certificate, clientCa?: string) =>
    serve({
      backend: echo(),
      tcp: true,
      tls: { cert: certificate.cert, key: certificate.key, ...(clientCa === undefined ? {} : { clientCa }) },
    });

  test("a client that trusts the authority is answered", async () => {
    await using served = await secure(server);
    expect(await read(served, { caCert: authority.certFile })).toMatchObject({ status: 200 });
  });

  test("a directory of authorities is searched", async () => {
    await using served = await secure(server);
    const caPath = join(directory.path, "authorities");
    mkdirSync(caPath, { recursive: true });
    writeFileSync(join(caPath, "a.pem"), stranger.cert);
    writeFileSync(join(caPath, "b.pem"), authority.cert);
    expect(await read(served, { caPath })).toMatchObject({ status: 200 });
  });

  test("a client of another authority refuses, and sends nothing", async () => {
    await using served = await secure(server);
    const unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    expect(await failure(read(served, { caCert: stranger.certFile }))).toBe(get(served, unknown));
    expect(await failure(read(served, {}))).toBe(get(served, unknown));
  });

  test("a certificate for another name is refused, unless that name is asked for", async () => {
    await using served = await secure(elsewhere);
    const caCert = authority.certFile;
    expect(await failure(read(served, { caCert }))).toBe(
      get(served, "tls: failed to verify certificate: x509: certificate is not valid for 127.0.0.1"),
    );
    expect(await read(served, { caCert, serverName: "vault.example" })).toMatchObject({ status: 200 });
    expect(await read(served, { skipVerify: true })).toMatchObject({ status: 200 });
  });

  test("where clients must show a certificate, the right one is let in", async () => {
    await using served = await secure(server, authority.cert);
    const caCert = authority.certFile;
    const own = { clientCert: client.certFile, clientKey: client.keyFile };
    expect(await read(served, { caCert, ...own })).toMatchObject({ status: 200 });
  });

  test("one without a certificate, or with a stranger's, is not", async () => {
    const backend = echo();
    const tls = { cert: server.cert, key: server.key, clientCa: authority.cert };
    await using served = await serve({ backend, tcp: true, tls });
    const caCert = authority.certFile;
    const wrong = { clientCert: strangersClient.certFile, clientKey: strangersClient.keyFile };
    for (const shown of [{}, wrong]) {
      expect(await failure(read(served, { caCert, ...shown }))).toStartWith(get(served, ""));
    }
    expect(backend.requests).toEqual([]);
    expect(
      await read(served, { caCert, clientCert: client.certFile, clientKey: client.keyFile }),
    ).toMatchObject({
      status: 200,
    });
  });

  test("HTTPS to a plain server, and plain HTTP to a secure one, are told apart from an answer", async () => {
    await using plain = await serve({ backend: echo(), tcp: true });
    expect(await failure(read(plain, { skipVerify: true }))).toBe(
      get(plain, "http: server gave HTTP response to HTTPS client"),
    );
    await using served = await secure(server);
    expect(await failure(read(served, {}, "http"))).toStartWith(`Get "http://127.0.0.1:${served.port}/v1/`);
  });

  test("a redirect to plain HTTP is refused, where the token would be seen", async () => {
    const seen: unknown[] = [];
    const redirecting = createHttpsServer({ cert: server.cert, key: server.key }, (message, response) => {
      seen.push(message.url);
      response.writeHead(307, { Location: "http://127.0.0.1:1/v1/sys/mounts" }).end();
    });
    const port = await new Promise<number>((resolve) => {
      redirecting.listen(0, "127.0.0.1", () => resolve((redirecting.address() as { port: number }).port));
    });
    const place = { port } as Served;
    expect(await failure(read(place, { caCert: authority.certFile }))).toBe(
      get(place, "redirect would cause protocol downgrade"),
    );
    redirecting.close();
    expect(seen).toEqual(["/v1/sys/mounts"]);
  });

  test("a client that never shakes hands is let go", async () => {
    const tls = { cert: server.cert, key: server.key };
    await using served = await serve({ backend: echo(), tcp: true, tls, limits: { headMsMax: 50 } });
    using silent = new RawClient(served);
    await silent.closed();
    using garbage = new RawClient(served);
    garbage.send("GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n");
    await garbage.closed();
    expect(served.server.connections).toBe(0);
  });

  test("old versions of TLS are refused", async () => {
    await using served = await secure(server);
    const outcome = await new Promise((resolve) => {
      const socket = connectTls(
        {
          host: "127.0.0.1",
          port: served.port,
          rejectUnauthorized: false,
          maxVersion: "TLSv1.1",
          minVersion: "TLSv1",
        },
        () => resolve("connected"),
      );
      socket.on("error", () => resolve("refused"));
      socket.on("close", () => resolve("refused"));
    });
    expect(outcome).toBe("refused");
  });

  test("a new certificate is used for new connections", async () => {
    await using served = await secure(elsewhere);
    const tls = { caCert: authority.certFile };
    await failure(read(served, tls));
    served.server.renewTls({ cert: server.cert, key: server.key });
    expect(await read(served, tls)).toMatchObject({ status: 200 });
  });

  test("a client's files that are of no use are named", async () => {
    const open = (tls: ClientTls): Promise<string> =>
      failure(openHttpClient({ address: "https://127.0.0.1:1", tls }));
    expect(await open({ clientCert: client.certFile })).toBe(
      "both client cert and client key must be provided",
    );
    expect(await open({ caCert: "/nonexistent/ca.pem" })).toContain("/nonexistent/ca.pem");
    expect(await open({ caCert: server.keyFile })).toBe(
      `Error loading CA File: Couldn't parse PEM in: ${server.keyFile}`,
    );
    expect(await open({ caPath: "/nonexistent" })).toStartWith("Error loading CA File: ");
  });
});

describe("a listener's files", () => {
  test("are read when they belong together", () => {
    const { certFile, keyFile, cert, key } = server;
    expect(readTlsFiles({ certFile, keyFile })).toEqual({ cert, key });
  });

  test("are refused when they do not, without a word of what is in them", () => {
    const { certFile, keyFile } = server;
    const attempt = (files: Parameters<typeof readTlsFiles>[0]) => () => readTlsFiles(files);
    expect(attempt({ certFile, keyFile: client.keyFile })).toThrow(
      `${client.keyFile} is not the key of the certificate in ${certFile}`,
    );
    expect(attempt({ certFile: keyFile, keyFile })).toThrow(`${keyFile} does not hold a certificate in PEM`);
    expect(attempt({ certFile, keyFile: certFile })).toThrow(
      `${certFile} does not hold a private key without a passphrase in PEM`,
    );
    expect(attempt({ certFile, keyFile, clientCaFile: keyFile })).toThrow(
      "does not hold a certificate in PEM",
    );
    expect(attempt({ certFile: "/nonexistent", keyFile })).toThrow("-tls-cert-file: ");
  });
});
