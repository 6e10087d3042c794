import { describe, expect, test } from "bun:test";
import type { ApiResponse } from "../../src/contract/wire.ts";
import { until } from "../servers/process.ts";
import { ask, echo, RawClient, serve } from "./world.ts";

const OK: ApiResponse = { status: 200, body: {} };
const GET = "GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n";
/** Short enough to be waited for; what is measured is what happens, not when. */
const SOON_MS = 50;

/** A backend whose answers wait until they are let go. */
function held() {
  const waiting: (() => void)[] = [];
  return {
    waiting,
    backend: {
      handle: () =>
        new Promise<ApiResponse>((resolve) => {
          waiting.push(() => resolve(OK));
        }),
    },
  };
}

describe("sizes", () => {
  test("a body that announces too much is refused before it is read", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 33554433\r\n\r\n");
    const { status, text } = await client.answer();
    expect([status, JSON.parse(text)]).toEqual([413, { errors: ["http: request body too large"] }]);
    await client.closed();
    expect(backend.requests).toEqual([]);
  });

  test("a client that waits for leave to send too much does not get it", async () => {
    await using served = await serve({ backend: echo() });
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 33554433\r\n\r\n");
    expect((await client.answer()).status).toBe(413);
  });

  test("a body in chunks is counted as it comes", async () => {
    const backend = echo();
    await using served = await serve({ backend, limits: { bodyBytesMax: 1000 } });
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(`1f4\r\n${"a".repeat(500)}\r\n`.repeat(3));
    expect((await client.answer()).status).toBe(413);
    expect(backend.requests).toEqual([]);
  });

  test("a body of just the limit is taken, also one byte at a time", async () => {
    const backend = echo();
    await using served = await serve({ backend, limits: { bodyBytesMax: 1000 } });
    const body = `{"a":"${"b".repeat(992)}"}`;
    expect((await ask(served, "POST", "/v1/x", { body })).status).toBe(200);
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(`${[...body].map((char) => `1\r\n${char}\r\n`).join("")}0\r\n\r\n`);
    expect((await client.answer()).status).toBe(200);
    expect(backend.requests.map((request) => JSON.stringify(request.body))).toEqual([body, body]);
  });

  test("many large bodies at once are refused, and the room comes back", async () => {
    await using served = await serve({ backend: echo(), limits: { bodiesBytesMax: 1000 } });
    using holder = new RawClient(served);
    holder.send(`POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n${" ".repeat(800)}`);
    const body = `"${"b".repeat(300)}"`;
    await until(
      "the room to be taken",
      async () => (await ask(served, "POST", "/v1/x", { body })).status === 503,
    );
    holder.send(" ".repeat(100));
    expect((await holder.answer()).status).toBe(200);
    expect((await ask(served, "POST", "/v1/x", { body })).status).toBe(200);
  });

  test.each([
    ["a long head", `GET /v1/x HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(70_000)}\r\n\r\n`],
    ["a head without an end", `GET /v1/x HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(70_000)}`],
    ["many headers", `GET /v1/x HTTP/1.1\r\nHost: x\r\n${"X: a\r\n".repeat(200)}\r\n`],
  ])("%s is 431", async (_, message) => {
    await using served = await serve({ backend: echo() });
    using client = new RawClient(served);
    expect((await client.send(message).answer()).status).toBe(431);
    await client.closed();
  });

  test("a query of very many parameters is refused", async () => {
    await using served = await serve({ backend: echo() });
    expect((await ask(served, "GET", `/v1/x?${"a&".repeat(1001)}`)).status).toBe(400);
  });
});

describe("slow and broken clients", () => {
  test("one that says nothing is let go", async () => {
    await using served = await serve({ backend: echo(), limits: { headMsMax: SOON_MS } });
    using client = new RawClient(served);
    expect(await client.rest()).toBe("");
  });

  test("one that says nothing more after an answer is let go", async () => {
    await using served = await serve({ backend: echo(), limits: { idleMsMax: SOON_MS } });
    using client = new RawClient(served);
    expect((await client.send(GET).answer()).status).toBe(200);
    expect(await client.rest()).toBe("");
  });

  test("one that trickles headers gets no more time with each byte", async () => {
    await using served = await serve({ backend: echo(), limits: { headMsMax: SOON_MS } });
    using client = new RawClient(served);
    client.send("GET /v1/x HTTP/1.1\r\n");
    const trickle = setInterval(() => client.send("X: a\r\n"), 5);
    try {
      expect((await client.answer()).status).toBe(408);
    } finally {
      clearInterval(trickle);
    }
  });

  test("one that trickles a body gets no more time with each byte", async () => {
    const backend = echo();
    await using served = await serve({ backend, limits: { bodyMsMax: SOON_MS } });
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    const trickle = setInterval(() => client.send("a"), 5);
    try {
      expect((await client.answer()).status).toBe(408);
    } finally {
      clearInterval(trickle);
    }
    expect(backend.requests).toEqual([]);
  });

  test("one that does not take its answer is let go", async () => {
    const backend = { handle: () => Promise.resolve({ status: 200, body: { x: "a".repeat(20_000_000) } }) };
    await using served = await serve({ backend, limits: { writeMsMax: SOON_MS } });
    using client = new RawClient(served);
    client.socket.pause();
    client.send(GET);
    await until("the connection to be dropped", () => served.server.connections === 0);
  });

  test("one that closes its half still gets its answer", async () => {
    await using served = await serve({ backend: echo() });
    using client = new RawClient(served);
    client.socket.end(GET);
    expect((await client.answer()).status).toBe(200);
    await client.closed();
  });

  test.each([
    ["its headers", "GET /v1/x HTTP/1.1\r\nHost:"],
    ["its body", "POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"],
    ["a chunk", "POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
  ])("one that ends within %s is told so, and nothing is carried out", async (_, message) => {
    const backend = echo();
    await using served = await serve({ backend });
    using client = new RawClient(served);
    client.socket.end(message);
    expect((await client.answer()).status).toBe(400);
    expect(backend.requests).toEqual([]);
  });

  test("one that is gone before its answer harms nobody", async () => {
    const { backend, waiting } = held();
    await using served = await serve({ backend });
    const client = new RawClient(served);
    client.send(GET);
    await until("the request to arrive", () => waiting.length === 1);
    client.socket.destroy();
    for (const letGo of waiting) letGo();
    await until("the connection to be forgotten", () => served.server.connections === 0);
    const next = ask(served, "GET", "/v1/x");
    await until("the next request to arrive", () => waiting.length === 2);
    waiting[1]?.();
    expect((await next).status).toBe(200);
  });

  test("requests sent ahead are answered in their order, and garbage after them ends the connection", async () => {
    const backend = echo();
    await using served = await serve({ backend });
    using client = new RawClient(served);
    client.send(`${GET}\r\nGET /v1/y HTTP/1.1\r\nHost: x\r\n\r\n\u0000\u0001\u0002 garbage\r\n\r\n${GET}`);
    const statuses = [await client.answer(), await client.answer(), await client.answer()].map(
      (it) => it.status,
    );
    expect(statuses).toEqual([200, 200, 400]);
    expect(await client.rest()).toBe("");
    expect(backend.requests.map(({ path }) => path)).toEqual(["x", "y"]);
  });

  test("a refused client that goes on sending reads why", async () => {
    await using served = await serve({ backend: echo(), limits: { bodyBytesMax: 1000 }, tcp: true });
    using client = new RawClient(served);
    client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    client.send(Buffer.alloc(3_000_000));
    expect((await client.answer()).status).toBe(413);
  });

  test("an answer that takes too long is given up, and the connection goes on", async () => {
    const { backend } = held();
    await using served = await serve({ backend, limits: { handleMsMax: SOON_MS } });
    using client = new RawClient(served);
    const { status, text } = await client.send(GET).answer();
    expect([status, JSON.parse(text)]).toEqual([
      500,
      { errors: ["1 error occurred:\n\t* context deadline exceeded\n\n"] },
    ]);
    expect((await client.send(GET).answer()).status).toBe(500);
  });
});

describe("many clients", () => {
  test("1,000 idle connections leave the server answering", async () => {
    await using served = await serve({ backend: echo() });
    const idle: RawClient[] = [];
    while (idle.length < 1000) {
      // No more at once than the system lets wait to be accepted.
      idle.push(...Array.from({ length: 100 }, () => new RawClient(served)));
      await until("all to be connected", () => served.server.connections === idle.length);
    }
    expect((await ask(served, "GET", "/v1/x")).status).toBe(200);
    for (const client of idle) client.socket.destroy();
    await until("all to be forgotten", () => served.server.connections === 0);
  }, 30_000);

  test("one too many is turned away, and let in once another has gone", async () => {
    await using served = await serve({ backend: echo(), limits: { connectionsMax: 2 } });
    using first = new RawClient(served);
    using second = new RawClient(served);
    expect((await first.send(GET).answer()).status).toBe(200);
    expect((await second.send(GET).answer()).status).toBe(200);
    expect((await ask(served, "GET", "/v1/x")).status).toBe(503);
    first.socket.destroy();
    await until("room", async () => (await ask(served, "GET", "/v1/x")).status === 200);
  });
});

describe("closing", () => {
  test("finishes what runs, ends idle connections, and accepts nobody", async () => {
    const { backend, waiting } = held();
    await using served = await serve({ backend });
    using busy = new RawClient(served);
    using idle = new RawClient(served);
    busy.send(GET);
    await until("the request to arrive", () => waiting.length === 1 && served.server.connections === 2);
    const closing = served.server.close();
    expect(await idle.rest()).toBe("");
    waiting[0]?.();
    const { status, headers } = await busy.answer();
    expect([status, headers.connection]).toEqual([200, "close"]);
    await closing;
    using late = new RawClient(served);
    expect(await late.rest()).toBe("");
  });

  test("does not wait for ever", async () => {
    const { backend, waiting } = held();
    await using served = await serve({ backend, limits: { shutdownMsMax: SOON_MS } });
    using busy = new RawClient(served);
    busy.send(GET);
    await until("the request to arrive", () => waiting.length === 1);
    const closing = served.server.close();
    expect(await busy.rest()).toBe("");
    waiting[0]?.();
    await closing;
  });
});
