import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError } from "../../src/base/errors.ts";
import { parseHead } from "../../src/http/head.ts";
import { echo, RawClient, serve } from "./world.ts";

const parse = (text: string) => parseHead(text, 100);

function statusOf(text: string): number {
  try {
    parse(text);
    return 200;
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
}

describe("a head", () => {
  test("gives method, target, headers and what follows", () => {
    const head = parse(
      "POST /v1/x?y=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX-A:  b \r\nx-a: c\r\nConnection: Foo, close",
    );
    expect(head).toEqual({
      method: "POST",
      target: "/v1/x?y=1",
      headers: new Map([
        ["host", ["h"]],
        ["content-length", ["12"]],
        ["x-a", ["b", "c"]],
        ["connection", ["Foo, close"]],
      ]),
      framing: { kind: "length", bytes: 12 },
      keepsAlive: false,
      expectsContinue: false,
    });
  });

  test.each([
    ["GET / HTTP/1.1\r\nHost: h", true],
    ["GET / HTTP/1.1\r\nHost: h\r\nConnection: close", false],
    ["GET / HTTP/1.0", false],
    ["GET / HTTP/1.0\r\nConnection: keep-alive", true],
  ])("%j keeps the connection: %p", (text, keepsAlive) => {
    expect(parse(text).keepsAlive).toBe(keepsAlive);
  });

  const WITH = (line: string): string => `POST / HTTP/1.1\r\nHost: h\r\n${line}`;

  test.each([
    ["no request line", "", 400],
    ["no version", "GET /", 400],
    ["no target", "GET  HTTP/1.1\r\nHost: h", 400],
    ["two blanks", "GET  / HTTP/1.1\r\nHost: h", 400],
    ["a tab", "GET\t/ HTTP/1.1\r\nHost: h", 400],
    ["a blank in the target", "GET /a b HTTP/1.1\r\nHost: h", 400],
    ["a bare line feed", "GET / HTTP/1.1\nHost: h", 400],
    ["a long method", `${"G".repeat(40)} / HTTP/1.1\r\nHost: h`, 400],
    ["a bad method", "G(T / HTTP/1.1\r\nHost: h", 400],
    ["HTTP/2's preface", "PRI * HTTP/2.0", 505],
    ["HTTP/0.9", "GET / HTTP/0.9", 505],
    ["no Host", "GET / HTTP/1.1", 400],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b", 400],
    ["a folded line", WITH("X: a\r\n b"), 400],
    ["a blank before the colon", WITH("Content-Length : 3"), 400],
    ["no colon", WITH("X"), 400],
    ["an empty name", WITH(": x"), 400],
    ["a zero byte in a value", WITH("X: a\u0000b"), 400],
    ["a bare carriage return in a value", WITH("X: a\rb"), 400],
    ["a bare line feed in a value", WITH("X: a\nTransfer-Encoding: chunked"), 400],
    ["two lengths", WITH("Content-Length: 3\r\nContent-Length: 4"), 400],
    ["two equal lengths", WITH("Content-Length: 3\r\nContent-Length: 3"), 400],
    ["a list of lengths", WITH("Content-Length: 3, 3"), 400],
    ["a negative length", WITH("Content-Length: -1"), 400],
    ["a signed length", WITH("Content-Length: +1"), 400],
    ["a hexadecimal length", WITH("Content-Length: 0x10"), 400],
    ["an empty length", WITH("Content-Length:"), 400],
    ["a length beyond numbers", WITH("Content-Length: 9999999999999999"), 400],
    ["a length beside chunks", WITH("Content-Length: 3\r\nTransfer-Encoding: chunked"), 400],
    ["chunks beside a length", WITH("Transfer-Encoding: chunked\r\nContent-Length: 3"), 400],
    ["chunks twice", WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400],
    ["chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400],
    ["another encoding", WITH("Transfer-Encoding: gzip, chunked"), 501],
    ["an encoding that looks like chunks", WITH("Transfer-Encoding: xchunked"), 501],
    ["an unknown expectation", WITH("Expect: 200-ok"), 417],
  ])("with %s is refused", (_, text, status) => {
    expect(statusOf(text)).toBe(status);
  });

  test("of any bytes is parsed or refused, and never breaks the parser", () => {
    const piece = fc.oneof(
      fc.constantFrom("GET ", "/v1/x", " HTTP/1.1", "\r\n", "Host: h", "Content-Length: 1", ":", " ", "\t"),
      fc.string({ unit: "binary", maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        expect([200, 400, 417, 431, 501, 505]).toContain(statusOf(pieces.join("")));
      }),
    );
  });
});

describe("chunks", () => {
  test.each([
    ["no length", "\r\n"],
    ["a bad length", "xyz\r\n"],
    ["a signed length", "+5\r\nabcde\r\n0\r\n\r\n"],
    ["a long length", "000000005\r\nabcde\r\n0\r\n\r\n"],
    ["a blank before the length", " 5\r\nabcde\r\n0\r\n\r\n"],
    ["a bare line feed", "5\nabcde\r\n0\r\n\r\n"],
    ["more than the length", "3\r\nabcde\r\n0\r\n\r\n"],
    ["a long extension", `5;${"a".repeat(300)}\r\nabcde\r\n0\r\n\r\n`],
    ["trailers without an end", `0\r\n${`X: ${"a".repeat(1000)}\r\n`.repeat(10)}`],
  ])("with %s are refused, and nothing after them is taken for a request", async (_, chunks) => {
    const backend = echo();
    await using served = await serve({ backend });
    using client = new RawClient(served);
    client.send(
      `POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect((await client.answer()).status).toBe(400);
    expect(await client.rest()).toBe("");
    expect(backend.requests).toEqual([]);
  });
});

describe("however its bytes are cut", () => {
  test("a message is read the same", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    const message =
      'POST /v1/cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n5\r\n":"b"\r\n1\r\n}\r\n0\r\n\r\n';
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: message.length - 1 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        using client = new RawClient(served);
        const sorted = [0, ...places.sort((a, b) => a - b), message.length];
        for (const [index, start] of sorted.slice(0, -1).entries()) {
          const part = message.slice(start, sorted[index + 1]);
          await new Promise<void>((resolve) => client.socket.write(part, () => resolve()));
        }
        expect((await client.answer()).status).toBe(200);
        expect(backend.requests.at(-1)).toMatchObject({ path: "cut", body: { a: "b" } });
      }),
      { numRuns: 40 },
    );
  });
});
