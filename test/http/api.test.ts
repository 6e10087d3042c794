import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { ask, echo, RawClient, type Served, serve } from "./world.ts";

const NONE = { errors: [] };

describe("over HTTP, a real instance", () => {
  let served: Served;
  let token = "";
  beforeAll(async () => {
    served = await serve();
    token = served.rootToken;
  });
  afterAll(async () => {
    await served[Symbol.asyncDispose]();
  });

  test("answers a read in an envelope, with the headers of every answer", async () => {
    const { status, headers, json } = await ask(served, "GET", "/v1/sys/mounts", { token });
    expect(status).toBe(200);
    expect(json).toMatchObject({ lease_id: "", renewable: false, wrap_info: null, auth: null });
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "strict-transport-security": "max-age=31536000; includeSubDomains",
    });
  });

  test.each(["POST", "PUT"])(
    "%s writes, and a write without an answer is 204 without a body",
    async (method) => {
      const body = JSON.stringify({ a: "1" });
      const written = await ask(served, method, "/v1/cubbyhole/x", { token, body });
      expect([written.status, written.text, written.headers["content-length"]]).toEqual([204, "", undefined]);
      const read = await ask(served, "GET", "/v1/cubbyhole/x", { token });
      expect((read.json as JsonObject).data).toEqual({ a: "1" });
    },
  );

  test.each([
    ["LIST", "/v1/cubbyhole/listed"],
    ["GET", "/v1/cubbyhole/listed?list=true"],
    ["GET", "/v1/cubbyhole/listed/?list=1"],
  ])("%s %s lists", async (method, target) => {
    await ask(served, "POST", "/v1/cubbyhole/listed/one", { token, body: '{"a":"b"}' });
    const { status, json } = await ask(served, method, target, { token });
    expect([status, (json as JsonObject).data]).toEqual([200, { keys: ["one"] }]);
  });

  test.each([
    ["HELP", "/v1/sys/mounts"],
    ["GET", "/v1/sys/mounts?help=1"],
  ])("%s %s is help, at the top level", async (method, target) => {
    const { status, json } = await ask(served, method, target, { token });
    expect(status).toBe(200);
    expect(Object.keys(json as JsonObject)).toEqual(expect.arrayContaining(["help", "openapi"]));
  });

  test("a form is data, as is JSON that says it is a form", async () => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    await ask(served, "POST", "/v1/cubbyhole/form", { token, headers, body: "a=1+2&b=x&b=y" });
    const form = await ask(served, "GET", "/v1/cubbyhole/form", { token });
    expect((form.json as JsonObject).data).toEqual({ a: "1 2", b: ["x", "y"] });
    await ask(served, "POST", "/v1/cubbyhole/form", { token, headers, body: '{"c":"3"}' });
    const json = await ask(served, "GET", "/v1/cubbyhole/form", { token });
    expect((json.json as JsonObject).data).toEqual({ c: "3" });
  });

  test("a bearer token is a token, and Vault's own header wins over it", async () => {
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await ask(served, "GET", "/v1/sys/mounts", { headers: bearer })).status).toBe(200);
    const both = { headers: bearer, token: "hvs.wrong" };
    expect((await ask(served, "GET", "/v1/sys/mounts", both)).status).toBe(403);
    expect((await ask(served, "GET", "/v1/sys/mounts")).status).toBe(403);
  });

  test("an answer is wrapped for as long as the header says", async () => {
    const headers = { "X-Vault-Wrap-TTL": "2m" };
    const { json } = await ask(served, "GET", "/v1/sys/mounts", { token, headers });
    expect((json as JsonObject).wrap_info).toMatchObject({ ttl: 120, creation_path: "sys/mounts" });
    expect(json).toMatchObject({ request_id: "", data: null });
  });

  test.each([
    ["-5s", "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative"],
    ["soon", 'error parsing X-Vault-Wrap-TTL header: time: invalid duration "soon"'],
  ])("a wrapping time of %s is refused", async (value, text) => {
    const headers = { "X-Vault-Wrap-TTL": value };
    const { status, json } = await ask(served, "GET", "/v1/sys/mounts", { token, headers });
    expect([status, json]).toEqual([400, { errors: [text] }]);
  });

  test.each(["", "root", "/root/"])("the namespace %j is the only one there is", async (name) => {
    const headers = { "X-Vault-Namespace": name };
    expect((await ask(served, "GET", "/v1/sys/mounts", { token, headers })).status).toBe(200);
  });

  test("another namespace is refused, instead of being answered from the wrong one", async () => {
    const headers = { "X-Vault-Namespace": "team-a/" };
    const { status, json } = await ask(served, "GET", "/v1/sys/mounts", { token, headers });
    expect([status, json]).toEqual([
      400,
      { errors: ["X-Vault-Namespace: there are no namespaces here but root"] },
    ]);
  });

  test("health answers GET and HEAD alike, HEAD without a body", async () => {
    const get = await ask(served, "GET", "/v1/sys/health");
    expect([get.status, (get.json as JsonObject).sealed]).toEqual([200, false]);
    const head = await ask(served, "HEAD", "/v1/sys/health");
    expect([head.status, head.text]).toEqual([200, ""]);
    const chosen = await ask(served, "GET", "/v1/sys/health?activecode=299");
    expect(chosen.status).toBe(299);
  });

  test.each([
    ["HEAD", "/v1/sys/mounts", 405],
    ["SCAN", "/v1/sys/mounts", 405],
    ["TRACE", "/v1/sys/mounts", 405],
    ["GET", "/", 404],
    ["GET", "/v1", 404],
    ["GET", "/v1/", 404],
    ["GET", "/ui/", 404],
    ["GET", "/v2/sys/mounts", 404],
  ])("%s %s is %i without a text", async (method, target, status) => {
    const answer = await ask(served, method, target, { token });
    expect([answer.status, method === "HEAD" ? NONE : answer.json]).toEqual([status, NONE]);
  });

  test("OPTIONS says what can be asked, and grants no other site anything", async () => {
    const { status, headers } = await ask(served, "OPTIONS", "/v1/sys/mounts", {
      headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" },
    });
    expect([status, headers.allow]).toEqual([
      204,
      "DELETE, GET, HEAD, HELP, LIST, OPTIONS, PATCH, POST, PUT",
    ]);
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("a PATCH of another type is 415 in plain text", async () => {
    const headers = { "Content-Type": "application/json" };
    const { status, text } = await ask(served, "PATCH", "/v1/cubbyhole/x", { token, headers, body: "{}" });
    expect(status).toBe(415);
    expect(text.trim()).toBe(
      "PATCH requires Content-Type of application/merge-patch+json, provided application/json",
    );
  });

  test.each([
    ['{"password":"hunter2"', "failed to decode JSON input: it is not valid JSON"],
    ["hunter2", "failed to decode JSON input: it is not valid JSON"],
    [`${"[".repeat(70)}${"]".repeat(70)}`, "failed to decode JSON input: nested deeper than 64 levels"],
    ["[1]", "failed to decode JSON input: the body is not an object"],
  ])("the body %s is refused without repeating it", async (body, text) => {
    const { status, json } = await ask(served, "POST", "/v1/cubbyhole/x", { token, body });
    expect([status, json]).toEqual([400, { errors: [text] }]);
  });

  test.each([
    ["/v1/cubbyhole/%2e%2e/sys", "relative paths not supported"],
    ["/v1/cubbyhole/%00", "path contains non-printable characters"],
    ["/v1/cubbyhole/%zz", "the path holds a bad escape"],
    ["/v1/cubbyhole/%ff", "the path holds a bad escape"],
  ])("the path %s is refused", async (target, text) => {
    const { status, json } = await ask(served, "GET", target, { token });
    expect([status, json]).toEqual([400, { errors: [text] }]);
  });

  test("a body that arrives in chunks is a body", async () => {
    using client = new RawClient(served);
    client.send(
      `POST /v1/cubbyhole/chunked HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${token}\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '4;ext=1\r\n{"a"\r\n6\r\n:"bc"}\r\n0\r\nTrailer: x\r\n\r\n',
    );
    expect((await client.answer()).status).toBe(204);
    const { json } = await ask(served, "GET", "/v1/cubbyhole/chunked", { token });
    expect((json as JsonObject).data).toEqual({ a: "bc" });
  });

  test("a client that waits for leave to send its body gets it", async () => {
    using client = new RawClient(served);
    client.send(
      `POST /v1/cubbyhole/c HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${token}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    );
    expect((await client.answer()).status).toBe(100);
    client.send('{"a":"1"}');
    expect((await client.answer()).status).toBe(204);
  });

  test("the log names requests by id, method, path and status, and nothing that they carry", async () => {
    served.lines.length = 0;
    await ask(served, "POST", "/v1/cubbyhole/logged?secret=q", { token, body: '{"a":"hunter2"}' });
    await ask(served, "GET", `/v1/auth/token/lookup/${token}`, { token });
    const text = JSON.stringify(served.lines);
    expect(served.lines.find(({ message }) => message === "request")).toMatchObject({
      level: "debug",
      fields: { method: "POST", path: "cubbyhole/logged", status: 204 },
    });
    expect(["hunter2", token, "secret"].filter((word) => text.includes(word))).toEqual([]);
  });
});

describe("a request in the API's terms", () => {
  test("carries query, address and plain headers, but no header with a credential", async () => {
    const backend = echo();
    await using served = await serve({ backend, tcp: true });
    await ask(served, "GET", "/v1/a%20b/c%2Fd?x=1&x=2&y=3", {
      token: "t",
      headers: { Authorization: "Bearer z", Cookie: "a=b", "X-Forwarded-For": "1.2.3.4" },
    });
    expect(backend.requests).toEqual([
      {
        method: "GET",
        path: "a b/c/d",
        query: { x: ["1", "2"], y: "3" },
        token: "t",
        remoteAddress: "127.0.0.1",
        headers: { host: "localhost", connection: "close", "x-forwarded-for": "1.2.3.4" },
      },
    ]);
  });

  test("over a unix socket comes from this machine", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    await ask(served, "GET", "/v1/x");
    expect(backend.requests.map((request) => "remoteAddress" in request)).toEqual([false]);
  });

  test("reads take no body, and writes no query", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    await ask(served, "LIST", "/v1/x", { body: '{"a":1}' });
    await ask(served, "PUT", "/v1/x?b=2", { body: '{"a":1}' });
    await ask(served, "DELETE", "/v1/x?b=2");
    expect(backend.requests.map(({ query, body }) => ({ query, body }))).toEqual([
      { query: undefined, body: undefined },
      { query: undefined, body: { a: 1 } },
      { query: { b: "2" }, body: undefined },
    ]);
  });

  test("an answer that is a text goes out as one", async () => {
    const backend = {
      handle: () =>
        Promise.resolve({ status: 200, body: "up 1\n", contentType: "text/plain; version=0.0.4" }),
    };
    await using served = await serve({ backend });
    const { headers, text } = await ask(served, "GET", "/v1/sys/metrics");
    expect([headers["content-type"], text]).toEqual(["text/plain; version=0.0.4", "up 1\n"]);
  });

  test("bytes go out as they are, with the headers that were set; a header that would break the message is left out", async () => {
    const bytes = Buffer.from([0, 13, 10, 13, 10, 255, 65]);
    const headers = { "Replay-Nonce": "abc", Location: "/x\r\nSet-Cookie: a=b" };
    const backend = {
      handle: () =>
        Promise.resolve({ status: 201, body: null, contentType: "application/pkix-crl", bytes, headers }),
    };
    await using served = await serve({ backend });
    using client = new RawClient(served);
    const text = await client
      .send("GET /v1/pki/crl HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      .restBytes();
    const [head = ""] = text.toString("latin1").split("\r\n\r\n");
    expect(head).toStartWith("HTTP/1.1 201 Created\r\n");
    expect(head).toContain(
      "\r\nContent-Length: 7\r\nContent-Type: application/pkix-crl\r\nReplay-Nonce: abc\r\n",
    );
    expect(head).not.toContain("Cookie");
    expect(text.subarray(head.length + 4)).toEqual(bytes);
  });

  test("an OCSP request reaches the API as bytes, whatever they are", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    using client = new RawClient(served);
    const bytes = Buffer.from([0x30, 0x80, 0, 255]);
    const head = "POST /v1/pki/ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: Application/OCSP-Request\r\n";
    await client.send(Buffer.concat([Buffer.from(`${head}Content-Length: 4\r\n\r\n`), bytes])).answer();
    const [request] = backend.requests;
    expect(request?.content?.type).toBe("application/ocsp-request");
    expect(Buffer.from(request?.content?.bytes ?? [])).toEqual(bytes);
    expect(request?.body).toBeUndefined();
  });

  test("a backend that breaks is a 500 that says nothing of why", async () => {
    const backend = { handle: () => Promise.reject(new RangeError("hunter2")) };
    await using served = await serve({ backend });
    const { status, json } = await ask(served, "GET", "/v1/x");
    expect([status, json]).toEqual([500, { errors: ["1 error occurred:\n\t* internal error\n\n"] }]);
    expect(JSON.stringify(served.lines)).not.toContain("hunter2");
  });
});

describe("before init", () => {
  test("health is 501, and everything else 503", async () => {
    await using world = await serve();
    const { composeDevInstance } = await import("../../src/compose.ts");
    const fresh = await composeDevInstance({ env: {} });
    await using served = await serve({ backend: fresh });
    expect((await ask(served, "GET", "/v1/sys/health")).status).toBe(501);
    const { status, json } = await ask(served, "GET", "/v1/sys/mounts", { token: world.rootToken });
    expect([status, json]).toEqual([503, { errors: ["Vault is sealed"] }]);
    await fresh.close();
  });
});
