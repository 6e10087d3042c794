import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy that a test can tell to break its connections. */
export interface TcpProxy {
  readonly port: number;
  /** Counts connections that were opened through it. */
  readonly connections: () => number;
  /** Breaks a connection off as soon as the client has sent this text, which is still passed on. Undefined: never. */
  cutAfter(text: string | undefined): void;
  /** Breaks all open connections off, as a router that forgets them would: nobody is told goodbye. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a server on this machine. */
export function startProxy(targetPort: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let trigger: string | undefined;
  let count = 0;
  const server = createServer((client) => {
    count += 1;
    const target = connect({ host: "127.0.0.1", port: targetPort });
    for (const socket of [client, target]) {
      open.add(socket);
      // A broken connection is what this proxy is for.
      socket.on("error", () => undefined);
    }
    client.on("data", (data) => {
      if (trigger !== undefined && data.includes(trigger)) {
        client.destroy();
        target.end(data);
      } else {
        target.write(data);
      }
    });
    target.on("data", (data) => client.write(data));
    client.on("close", () => target.end());
    target.on("close", () => client.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const cutAll = () => {
        for (const socket of open) socket.destroy();
        open.clear();
      };
      resolve({
        port,
        connections: () => count,
        cutAfter: (text) => {
          trigger = text;
        },
        cutAll,
        close: () => {
          cutAll();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}
