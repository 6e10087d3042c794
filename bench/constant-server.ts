/**
 * A yardstick: Bun's own HTTP server, answering every request with the same text over a unix socket and over TLS.
 * `constant-server.ts SOCKET PORT CERT_FILE KEY_FILE BODY`
 */
const [unix = "", port = "", certFile = "", keyFile = "", body = ""] = process.argv.slice(2);
const headers = {
  "Cache-Control": "no-store",
  "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "Content-Type": "application/json",
};
const answer = (): Response => new Response(body, { headers });

Bun.serve({ unix, fetch: answer });
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  tls: { cert: Bun.file(certFile), key: Bun.file(keyFile) },
  fetch: answer,
});
process.stderr.write("started\n");
