import { describe, expect, test } from "bun:test";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { VsecError } from "../../src/base/errors.ts";
import { escapePath, parseAddress } from "../../src/client/address.ts";
import { openHttpClient } from "../../src/client/http.ts";
import type { ApiRequest } from "../../src/contract/wire.ts";
import { freePort, temporaryDirectory } from "../servers/process.ts";
import { echo, serve } from "./world.ts";

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(VsecError);
    return (error as VsecError).message;
  }
  throw new TypeError("it did not fail");
}

async function request(address: string, message: Partial<ApiRequest> = {}, timeoutMs = 10_000) {
  const client = await openHttpClient({ address, timeoutMs });
  return client.request({ method: "GET", path: "secret/foo", ...message });
}

/** A server that does with each connection what the test says. */
async function answering(
  handle: (socket: Socket) => void,
): Promise<{ readonly address: string; [Symbol.dispose](): void }> {
  const directory = temporaryDirectory("vsec-client-");
  const path = `${directory.path}/s`;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    handle(socket);
  });
  await new Promise<void>((resolve) => void server.listen(path, () => resolve()));
  return {
    address: `unix://${path}`,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      directory.remove();
    },
  };
}

const saying = (text: string) =>
  answering((socket) => {
    socket.on("data", () => socket.end(text));
  });

describe.each([{ tcp: false }, { tcp: true }])("the client, over %o", ({ tcp }) => {
  const addressOf = (served: { readonly path: string; readonly port: number }): string =>
    tcp ? `http://127.0.0.1:${served.port}` : `unix://${served.path}`;

  test("hands on bytes that are no text as they are, and a text as a text", async () => {
    const contentType = "application/pkix-crl";
    const bytes = Buffer.from([0x30, 0x82, 0x00, 0xff, 0x0d, 0x0a, 0x80]);
    for (const [answered, received] of [
      [bytes, { status: 200, body: null, bytes }],
      [Buffer.from("-----BEGIN ü"), { status: 200, body: "-----BEGIN ü" }],
    ] as const) {
      const backend = {
        handle: () => Promise.resolve({ status: 200, body: null, contentType, bytes: answered }),
      };
      await using served = await serve({ backend, tcp });
      expect(await request(addressOf(served))).toEqual(received);
    }
  });

  test("sends everything of a request", async () => {
    const backend = echo();
    await using served = await serve({ backend, tcp });
    const client = await openHttpClient({ address: addressOf(served), headers: { "X-Mine": "a" } });
    await client.request({
      method: "PATCH",
      path: "a b/ü?#%/c",
      body: { x: "ü" },
      token: "t",
      wrapTtlSeconds: 90,
    });
    await client.request({ method: "LIST", path: "a/", query: { after: "1 2" } });
    await client.request({ method: "HELP", path: "a" });
    await client.request({ method: "DELETE", path: "a", query: { versions: ["1", "2"] } });
    expect(backend.requests.map(({ remoteAddress, ...rest }) => rest)).toMatchObject([
      {
        method: "PATCH",
        path: "a b/ü?#%/c",
        body: { x: "ü" },
        token: "t",
        wrapTtlSeconds: 90,
        headers: { "x-vault-request": "true", "x-mine": "a", "content-type": "application/merge-patch+json" },
      },
      { method: "GET", path: "a/", query: { list: "true", after: "1 2" } },
      { method: "GET", path: "a", query: { help: "1" } },
      { method: "DELETE", path: "a", query: { versions: ["1", "2"] } },
    ]);
  });

  test("carries large bodies both ways", async () => {
    const large = "a".repeat(5_000_000);
    const backend = { handle: ({ body = null }: ApiRequest) => Promise.resolve({ status: 200, body }) };
    await using served = await serve({ backend, tcp });
    const answer = await request(addressOf(served), { method: "PUT", body: { large } });
    expect(answer).toEqual({ status: 200, body: { large } });
  });

  test("a refusal is an answer, and 204 has no body", async () => {
    const answers = [
      { status: 403, body: { errors: ["permission denied"] } },
      { status: 204, body: null },
    ];
    const backend = { handle: () => Promise.resolve(answers.shift() ?? { status: 500, body: null }) };
    await using served = await serve({ backend, tcp });
    expect(await request(addressOf(served))).toEqual({
      status: 403,
      body: { errors: ["permission denied"] },
    });
    expect(await request(addressOf(served))).toEqual({ status: 204, body: null });
  });

  test("a refusal of a body that is too large is read", async () => {
    await using served = await serve({ backend: echo(), tcp, limits: { bodyBytesMax: 1000 } });
    const answer = await request(addressOf(served), { method: "PUT", body: { x: "a".repeat(100_000) } });
    expect(answer).toEqual({ status: 413, body: { errors: ["http: request body too large"] } });
  });

  test("an answer that does not come is waited for no longer than allowed", async () => {
    const backend = { handle: () => new Promise<never>(() => undefined) };
    await using served = await serve({ backend, tcp, limits: { shutdownMsMax: 10 } });
    const address = addressOf(served);
    expect(await failure(request(address, {}, 50))).toBe(
      `Get "${address}/v1/secret/foo": context deadline exceeded`,
    );
  });
});

describe("what fails", () => {
  test("nobody listens at a port, or at a socket", async () => {
    const port = await freePort();
    expect(await failure(request(`http://127.0.0.1:${port}`, { method: "PUT", body: {} }))).toBe(
      `Put "http://127.0.0.1:${port}/v1/secret/foo": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(await failure(request("unix:///nonexistent/s", { method: "LIST" }))).toBe(
      'Get "unix:///nonexistent/s/v1/secret/foo?list=true": dial unix /nonexistent/s: connect: no such file or directory',
    );
  });

  test("a name that does not exist", async () => {
    expect(await failure(request("http://no-such-host.invalid:8200"))).toBe(
      'Get "http://no-such-host.invalid:8200/v1/secret/foo": dial tcp: lookup no-such-host.invalid: no such host',
    );
  });

  test.each([
    ["nothing", "", "EOF"],
    ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "malformed HTTP response"],
    ["half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "unexpected EOF"],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-Le", "EOF"],
  ])("a server that says %s", async (_, text, reason) => {
    using server = await saying(text);
    expect(await failure(request(server.address))).toBe(`Get "${server.address}/v1/secret/foo": ${reason}`);
  });

  test("an answer that is no JSON is kept as it is", async () => {
    using server = await saying("HTTP/1.1 502 Bad Gateway\r\n\r\n<h1>Bad Gateway</h1>");
    expect(await request(server.address)).toEqual({ status: 502, body: "<h1>Bad Gateway</h1>" });
  });

  test.each([
    "",
    "127.0.0.1:8200",
    "ftp://h",
    "unix://relative",
    "http://",
    "http://user:pw@h",
    "http://h/?a=b",
  ])("the address %j is refused, without repeating a password", async (address) => {
    const text = await failure(openHttpClient({ address }));
    expect(text).toContain("is not an address");
    expect(text).not.toContain("pw");
  });

  test("a header with a line break is refused", async () => {
    const headers = { "X-A": "b\r\nX-Vault-Token: c" };
    expect(await failure(openHttpClient({ address: "unix:///s", headers }))).toContain("not a header");
  });
});

describe("a redirect", () => {
  async function redirecting(
    status: number,
    location: (port: number) => string,
  ): Promise<{ readonly server: HttpServer; readonly address: string; readonly seen: string[] }> {
    const seen: string[] = [];
    const server = createHttpServer((message, response) => {
      let body = "";
      message.on("data", (chunk) => {
        body += chunk;
      });
      message.on("end", () => {
        seen.push(`${message.method} ${message.url} ${message.headers["x-vault-token"]} ${body}`);
        if (message.url?.startsWith("/v1/")) response.writeHead(status, { Location: location(port) }).end();
        else response.end('{"data":null}');
      });
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    return { server, address: `http://127.0.0.1:${port}`, seen };
  }

  test("is followed once, with method, token and body", async () => {
    const { server, address, seen } = await redirecting(307, (port) => `http://127.0.0.1:${port}/active/x`);
    const answer = await request(address, { method: "PUT", body: { a: 1 }, token: "t" });
    server.close();
    expect(answer).toEqual({ status: 200, body: { data: null } });
    expect(seen).toEqual(['PUT /v1/secret/foo t {"a":1}', 'PUT /active/x t {"a":1}']);
  });

  test("is not followed twice", async () => {
    const { server, address, seen } = await redirecting(307, (port) => `http://127.0.0.1:${port}/v1/again`);
    expect(await request(address)).toEqual({ status: 307, body: null });
    server.close();
    expect(seen).toHaveLength(2);
  });
});

describe("addresses", () => {
  test.each([
    ["http://h", "http://h", 80],
    ["https://h/", "https://h", 443],
    ["https://h:8200/vault/", "https://h:8200/vault", 8200],
    ["http://[::1]:8200", "http://[::1]:8200", 8200],
  ])("%s is %s, port %i", (given, text, port) => {
    expect(parseAddress(given)).toMatchObject({ kind: "tcp", text, port });
  });

  test("paths keep what Go keeps, and escape the rest", () => {
    expect(escapePath("auth/token/a:b@c+d=e$f,g&h")).toBe("auth/token/a:b@c+d=e$f,g&h");
    expect(escapePath("a b/ü?#%")).toBe("a%20b/%C3%BC%3F%23%25");
  });
});
