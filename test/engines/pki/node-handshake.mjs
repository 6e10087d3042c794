/*
 * Run by Node, whose TLS is OpenSSL's (the tests' own runtime has another): a server that asks for certificates, and clients
 * that have one, have none, or want another server. Its argument is a file of JSON; what each client was told is printed.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:tls";

const { ca, server, client, name } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const listener = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
  socket.on("error", () => undefined);
  socket.end(`hello ${socket.getPeerCertificate().subject.CN}`);
});
listener.on("tlsClientError", () => undefined);
listener.listen(0, "127.0.0.1");
await once(listener, "listening");
const { port } = listener.address();

function told(options) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", ca, servername: name, ...options });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", ({ code }) => resolve(code));
    socket.on("close", () => resolve(text));
  });
}

const answers = {
  both: await told(client),
  old: await told({ ...client, maxVersion: "TLSv1.2" }),
  address: await told({ ...client, servername: undefined }),
  nobody: await told({}),
  elsewhere: await told({ ...client, servername: "other.example.com" }),
};
listener.close();
process.stdout.write(JSON.stringify(answers));
