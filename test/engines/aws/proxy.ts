import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

/** What happens to a request on its way. */
export type Fault =
  /** AWS's answer to too many requests; the request is not passed on. */
  | "throttle"
  /** A broken server, before it did anything. */
  | "500"
  /** The request is passed on and done; the answer never comes. */
  | "hang-after"
  /** The request is passed on and done; the connection ends without an answer. */
  | "lose-answer"
  /** Another refusal, by AWS's error code; not passed on. */
  | { readonly code: string; readonly status: number };

/** A request as rules see it. */
export interface SeenRequest {
  /** `CreateUser`. */
  readonly action: string;
  readonly params: URLSearchParams;
  /** Counts the requests with this action, from 1. */
  readonly nth: number;
}

/** A proxy in front of the emulator that notes the requests and can break them. */
export interface AwsProxy {
  readonly url: string;
  /** The actions that were asked for, in order. */
  readonly actions: string[];
  /** The ports that requests came from: one for each connection. */
  readonly connections: Set<number>;
  /** Decides about each request; undefined: it is passed on. */
  rule: (request: SeenRequest) => Fault | undefined | Promise<Fault | undefined>;
  /** Forgets counts, notes and the rule. */
  reset(): void;
  close(): Promise<void>;
}

export function startAwsProxy(target: string): Promise<AwsProxy> {
  const counts = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const proxy: AwsProxy = {
    url: "",
    actions: [],
    connections: new Set(),
    rule: () => undefined,
    reset: () => {
      counts.clear();
      proxy.actions.length = 0;
      proxy.connections.clear();
      proxy.rule = () => undefined;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const params = new URLSearchParams(body.toString("utf8"));
    const action = params.get("Action") ?? "";
    const nth = (counts.get(action) ?? 0) + 1;
    counts.set(action, nth);
    proxy.actions.push(action);
    proxy.connections.add(incoming.socket.remotePort ?? 0);
    const fault = await proxy.rule({ action, params, nth });
    if (fault === "throttle") return refuse(outgoing, 400, "Throttling");
    if (fault === "500") return refuse(outgoing, 500, "InternalFailure");
    if (typeof fault === "object") return refuse(outgoing, fault.status, fault.code);
    const answer = await forward(incoming, body);
    // Bun's server sends an empty answer when only the response is destroyed.
    if (fault === "lose-answer") incoming.socket.destroy();
    else if (fault === undefined) outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  function forward(incoming: IncomingMessage, body: Buffer) {
    return new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>(
      (resolve, reject) => {
        const onward = request(
          `${target}${incoming.url ?? "/"}`,
          { method: incoming.method ?? "POST", headers: incoming.headers },
          (answer) => {
            // The emulator ends each connection; AWS keeps them.
            const { "transfer-encoding": _chunks, connection: _close, ...headers } = answer.headers;
            bodyOf(answer).then(
              (read) => resolve({ status: answer.statusCode ?? 0, headers, body: read }),
              reject,
            );
          },
        );
        onward.on("error", reject);
        onward.end(body);
      },
    );
  }

  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve(Object.assign(proxy, { url: `http://127.0.0.1:${port}` }));
    });
  });
}

async function bodyOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function refuse(outgoing: ServerResponse, status: number, code: string): void {
  const type = status < 500 ? "Sender" : "Receiver";
  outgoing
    .writeHead(status, { "content-type": "text/xml" })
    .end(
      `<ErrorResponse><Error><Type>${type}</Type><Code>${code}</Code><Message>refused by the test</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
    );
}
