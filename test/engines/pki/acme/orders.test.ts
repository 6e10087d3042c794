import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { CoreWorld } from "../../../core/world.ts";
import { csrFor, newCertificateKey } from "./csr.ts";
import { DnsServer } from "./dns-server.ts";
import { type Answer, acmeWorld, ChallengeServer, nodeKey, TestClient } from "./world.ts";

let world: CoreWorld;
let web: ChallengeServer;
let dns: DnsServer;

beforeAll(async () => {
  web = await ChallengeServer.open();
  dns = await DnsServer.open();
  world = await acmeWorld({ dns_resolver: dns.address, http01_port: web.port });
});

afterAll(() => {
  web.close();
  dns.close();
});

interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
  readonly error?: { readonly type: string; readonly detail: string };
}

async function client(directory = "acme"): Promise<TestClient> {
  const made = await TestClient.create(world, directory);
  await made.register();
  return made;
}

async function challengesOf(made: TestClient, order: Answer, index = 0): Promise<readonly Challenge[]> {
  const urls = order.body.authorizations as readonly string[];
  const { body } = await made.post(urls[index] ?? "", "");
  return body.challenges as unknown as readonly Challenge[];
}

async function challengeOf(made: TestClient, order: Answer, type: string, index = 0): Promise<Challenge> {
  const found = (await challengesOf(made, order, index)).find((it) => it.type === type);
  if (found === undefined) throw new TypeError(`no ${type}`);
  return found;
}

/** Proves the n-th name of an order by HTTP. */
async function prove(made: TestClient, order: Answer, index = 0): Promise<void> {
  const { token, url } = await challengeOf(made, order, "http-01", index);
  web.answers.set(`/.well-known/acme-challenge/${token}`, { body: `${token}.${await made.thumbprint()}` });
  await made.post(url, {});
  await world.daemon();
}

const urlOf = (order: Answer): string => order.headers.Location ?? "";

describe("an order", () => {
  test("goes from pending to a certificate that holds the proven names, and nothing else of the request", async () => {
    const made = await client("roles/web/acme");
    const order = await made.order("a.example.test", "b.example.test");
    expect(order.status).toBe(201);
    expect(order.body).toMatchObject({
      status: "pending",
      identifiers: [
        { type: "dns", value: "a.example.test" },
        { type: "dns", value: "b.example.test" },
      ],
      finalize: `${urlOf(order)}/finalize`,
    });
    await prove(made, order, 0);
    expect((await made.post(urlOf(order), "")).body.status).toBe("pending");
    await prove(made, order, 1);
    expect((await made.post(urlOf(order), "")).body.status).toBe("ready");
    const key = newCertificateKey();
    const subject = { commonName: "a.example.test", organization: ["Not proven"] };
    const csr = csrFor(["b.example.test", "a.example.test"], { key, subject, asCa: true });
    const finalized = await made.post(String(order.body.finalize), { csr });
    expect(finalized.body).toMatchObject({ status: "valid", certificate: `${urlOf(order)}/cert` });
    const { text, headers, status } = await made.post(`${urlOf(order)}/cert`, "");
    expect(status).toBe(200);
    expect(headers["Replay-Nonce"]).toBeDefined();
    const [leaf, root] = (text.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
      (pem) => new X509Certificate(pem),
    );
    expect(leaf?.subject).toBe("CN=a.example.test");
    expect(leaf?.subjectAltName?.split(", ").sort()).toEqual(["DNS:a.example.test", "DNS:b.example.test"]);
    expect(leaf?.ca).toBe(false);
    expect(leaf?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(leaf?.checkPrivateKey(key)).toBe(true);
    expect(root === undefined ? false : leaf?.verify(root.publicKey)).toBe(true);
    // The role's max_ttl, or less.
    expect(Date.parse(leaf?.validTo ?? "") - world.now).toBeLessThanOrEqual(72 * 3_600_000);
  });

  test("for a wildcard is proven by DNS alone, and several texts may stand beside the right one", async () => {
    const made = await client();
    const order = await made.order("*.wild.test");
    const [challenge, ...others] = await challengesOf(made, order);
    expect([challenge?.type, others]).toEqual(["dns-01", []]);
    const authorization = String((order.body.authorizations as string[])[0]);
    expect((await made.post(authorization, "")).body).toMatchObject({
      wildcard: true,
      identifier: { type: "dns", value: "wild.test" },
    });
    const answer = createHash("sha256").update(`${challenge?.token}.${await made.thumbprint()}`);
    dns.texts.set("_acme-challenge.wild.test", ["other", answer.digest("base64url")]);
    await made.post(challenge?.url ?? "", {});
    await world.daemon();
    expect((await made.post(urlOf(order), "")).body.status).toBe("ready");
    const finalized = await made.post(String(order.body.finalize), { csr: csrFor(["*.wild.test"]) });
    expect(finalized.body.status).toBe("valid");
  });

  test("for an address is proven by HTTP", async () => {
    const made = await client();
    const order = await made.post("new-order", { identifiers: [{ type: "ip", value: "127.0.0.1" }] });
    expect((await challengesOf(made, order)).map(({ type }) => type)).toEqual(["http-01", "tls-alpn-01"]);
    await prove(made, order);
    const csr = csrFor([], { ips: ["127.0.0.1"] });
    expect((await made.post(String(order.body.finalize), { csr })).body.status).toBe("valid");
  });

  test("is another account's business only as far as that account knows: not at all", async () => {
    const [one, other] = [await client(), await client()];
    const order = await one.order("mine.test");
    const authorization = String((order.body.authorizations as string[])[0]);
    const challenge = await challengeOf(one, order, "http-01");
    for (const url of [
      urlOf(order),
      `${urlOf(order)}/finalize`,
      `${urlOf(order)}/cert`,
      authorization,
      challenge.url,
    ])
      expect((await other.post(url, "")).status).toBe(404);
    expect((await other.post("orders", "")).body).toEqual({ orders: [] });
    expect((await one.post("orders", "")).body).toEqual({ orders: [urlOf(order)] });
  });

  test.each([
    ["no identifiers", { identifiers: [] }, "malformed"],
    ["identifiers that are no list", { identifiers: "a.test" }, "malformed"],
    [
      "a type that there is not",
      { identifiers: [{ type: "email", value: "a@b.test" }] },
      "unsupportedIdentifier",
    ],
    ["an address as a name", { identifiers: [{ type: "dns", value: "10.0.0.1" }] }, "malformed"],
    ["a name with a path", { identifiers: [{ type: "dns", value: "a.test/../b" }] }, "malformed"],
    ["a name with a port", { identifiers: [{ type: "dns", value: "a.test:8080" }] }, "malformed"],
    ["a name with a line break", { identifiers: [{ type: "dns", value: "a.test\r\nHost: b" }] }, "malformed"],
    ["a wildcard in the middle", { identifiers: [{ type: "dns", value: "a.*.test" }] }, "malformed"],
    ["an empty label", { identifiers: [{ type: "dns", value: "a..test" }] }, "malformed"],
    ["a name that ends as an address does", { identifiers: [{ type: "dns", value: "a.1" }] }, "malformed"],
    ["no address", { identifiers: [{ type: "ip", value: "a.test" }] }, "malformed"],
    [
      "a validity of its own",
      { identifiers: [{ type: "dns", value: "a.test" }], notAfter: "2030-01-01T00:00:00Z" },
      "malformed",
    ],
  ])("with %s is refused", async (_what, payload, kind) => {
    const made = await client();
    const { status, body } = await made.post("new-order", payload);
    expect([status, body.type]).toEqual([400, `urn:ietf:params:acme:error:${kind}`]);
  });

  test("for a name that the role does not allow is refused before anything has to be proven", async () => {
    const made = await client("roles/web/acme");
    const { status, body } = await made.order("example.org");
    expect([status, body.type]).toEqual([400, "urn:ietf:params:acme:error:rejectedIdentifier"]);
    expect(body.detail).toContain("example.org");
  });

  test("that is not ready cannot be finalized, nor one twice", async () => {
    const made = await client();
    const order = await made.order("late.test");
    const finalize = String(order.body.finalize);
    const csr = csrFor(["late.test"]);
    expect((await made.post(finalize, { csr })).body.type).toEndWith(":orderNotReady");
    expect((await made.post(`${urlOf(order)}/cert`, "")).body.type).toEndWith(":orderNotReady");
    await prove(made, order);
    const twice = await Promise.all([made.post(finalize, { csr }), made.post(finalize, { csr })]);
    expect(twice.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect((await made.post(finalize, { csr })).body.type).toEndWith(":orderNotReady");
  });

  test.each([1, 2, 3])(
    "whose finalizing process died at its commit %d can be finalized a minute later",
    async (dyingAt) => {
      const made = await client();
      const order = await made.order("dying.test");
      await prove(made, order);
      const finalize = String(order.body.finalize);
      const csr = csrFor(["dying.test"]);
      const nonce = await made.nonce();
      const { barrier } = world;
      const commit = barrier.commit.bind(barrier);
      let commits = 0;
      // The nonce's commit is the first; then the order is claimed, the certificate kept, the order settled.
      barrier.commit = (writes) => {
        commits += 1;
        return commits > dyingAt ? Promise.reject(new RangeError("the process is gone")) : commit(writes);
      };
      const died = await made.post(finalize, { csr }, { nonce });
      barrier.commit = commit;
      expect(died.status).toBe(500);
      const isClaimed = dyingAt > 1;
      expect((await made.post(urlOf(order), "")).body.status).toBe(isClaimed ? "processing" : "ready");
      if (isClaimed) expect((await made.post(finalize, { csr })).body.type).toEndWith(":orderNotReady");
      world.advance(60);
      expect((await made.post(finalize, { csr })).body.status).toBe("valid");
      expect((await made.post(`${urlOf(order)}/cert`, "")).text).toStartWith("-----BEGIN CERTIFICATE-----");
    },
  );

  test("is invalid, and then gone, once its time is over", async () => {
    const made = await client();
    const order = await made.order("slow.test");
    world.advance(24 * 3600 - 1);
    expect((await made.post(urlOf(order), "")).body.status).toBe("pending");
    world.advance(1);
    expect((await made.post(urlOf(order), "")).body.status).toBe("invalid");
    await world.daemon();
    expect((await made.post(urlOf(order), "")).status).toBe(404);
    expect((await made.post(String((order.body.authorizations as string[])[0]), "")).status).toBe(404);
  });
});

describe("a request for the certificate", () => {
  async function refused(names: readonly string[], csr: (made: TestClient) => Promise<string> | string) {
    const made = await client();
    const order = await made.order(...names);
    for (const index of names.keys()) await prove(made, order, index);
    const { body } = await made.post(String(order.body.finalize), { csr: await csr(made) });
    // What was wrong with one request is no fault of the order's.
    expect((await made.post(urlOf(order), "")).body.status).toBe("ready");
    return { kind: String(body.type).split(":").at(-1), detail: String(body.detail) };
  }

  test.each([
    ["names more than the order does", ["r1.test", "other.test"], {}, /other\.test/],
    ["names less than the order does", [], {}, /r1\.test/],
    ["has another common name", ["r1.test"], { subject: { commonName: "other.test" } }, /other\.test/],
    ["has a mail address", ["r1.test"], { emails: ["a@r1.test"] }, /neither of DNS nor addresses/],
    ["has an address", ["r1.test"], { ips: ["10.0.0.1"] }, /10\.0\.0\.1/],
  ] as const)("that %s is refused", async (_what, dnsNames, wishes, detail) => {
    const refusal = await refused(["r1.test"], () => csrFor(dnsNames, wishes));
    expect(refusal.kind).toBe("badCSR");
    expect(refusal.detail).toMatch(detail);
  });

  test("that uses the account's own key is refused", async () => {
    const refusal = await refused(["r2.test"], async (made) =>
      csrFor(["r2.test"], { key: await nodeKey(made.key) }),
    );
    expect(refusal).toEqual({ kind: "badCSR", detail: "the csr's key is the account's own" });
  });

  test("that is not signed by its key is refused", async () => {
    const refusal = await refused(["r3.test"], () => {
      const bytes = Buffer.from(csrFor(["r3.test"]), "base64url");
      bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
      return bytes.toString("base64url");
    });
    expect(refusal.kind).toBe("badCSR");
  });

  test.each(["", "AAAA", "*", "MIIB"])("that is %j is refused", async (text) => {
    expect((await refused(["r4.test"], () => text)).kind).toBe("badCSR");
  });
});

describe("a challenge", () => {
  test("that fails is tried again, with pauses, and only then invalid; it says why", async () => {
    const made = await client();
    const order = await made.order("never.test");
    const { url, token } = await challengeOf(made, order, "http-01");
    web.answers.set(`/.well-known/acme-challenge/${token}`, { body: "something that is secret" });
    await made.post(url, {});
    const attempts: string[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      await world.daemon();
      attempts.push(String((await made.post(url, "")).body.status));
      world.advance(20);
    }
    expect(attempts).toEqual(["processing", "processing", "processing", "processing", "invalid"]);
    const { body } = await made.post(url, "");
    expect(body.error).toEqual({
      type: "urn:ietf:params:acme:error:unauthorized",
      detail: "the answer is not the challenge's key authorization",
      status: 403,
    });
    expect((await made.post(urlOf(order), "")).body.status).toBe("invalid");
    expect(web.asked.filter((line) => line.endsWith(token))).toHaveLength(5);
  });

  test("that is fulfilled a little late is valid after all", async () => {
    const made = await client();
    const order = await made.order("late-proof.test");
    const { url, token } = await challengeOf(made, order, "http-01");
    await made.post(url, {});
    await world.daemon();
    expect((await made.post(url, "")).body.status).toBe("processing");
    web.answers.set(`/.well-known/acme-challenge/${token}`, {
      body: `${token}.${await made.thumbprint()}\n`,
    });
    world.advance(2);
    await world.daemon();
    expect((await made.post(url, "")).body.status).toBe("valid");
  });

  test("is fulfilled by the account's own key authorization alone", async () => {
    const [one, other] = [await client(), await client()];
    const order = await one.order("stolen.test");
    const { url, token } = await challengeOf(one, order, "http-01");
    web.answers.set(`/.well-known/acme-challenge/${token}`, { body: `${token}.${await other.thumbprint()}` });
    await one.post(url, {});
    await world.daemon();
    expect((await one.post(url, "")).body).toMatchObject({ status: "processing" });
  });

  async function outcome(name: string, prepare: (path: string, keyAuthorization: string) => void) {
    const made = await client();
    const order = await made.order(name);
    const { url, token } = await challengeOf(made, order, "http-01");
    const path = `/.well-known/acme-challenge/${token}`;
    prepare(path, `${token}.${await made.thumbprint()}`);
    await made.post(url, {});
    await world.daemon();
    const { body } = await made.post(url, "");
    const { type = "", detail = "" } = (body.error ?? {}) as { type?: string; detail?: string };
    return { status: body.status, kind: type.split(":").at(-1) ?? "", detail };
  }

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((it) => it?.family === "IPv4" && !it.internal && !it.address.startsWith("169.254."))?.address;
  test.skipIf(outside === undefined)(
    "follows a redirect to another host (needs an address that is not loopback's)",
    async () => {
      const elsewhere = await ChallengeServer.open(outside, web.port);
      dns.addresses.set("elsewhere2.test", outside ?? "");
      try {
        const result = await outcome("moved3.test", (path, answer) => {
          web.answers.set(path, { status: 302, location: `http://elsewhere2.test:${web.port}/there` });
          elsewhere.answers.set("/there", { body: answer });
        });
        expect(result).toEqual({ status: "valid", kind: "", detail: "" });
        expect(elsewhere.asked).toEqual([`elsewhere2.test:${web.port} /there`]);
      } finally {
        elsewhere.close();
      }
    },
  );

  test.skipIf(outside === undefined)(
    "gives up after five redirects (needs an address that is not loopback's)",
    async () => {
      const elsewhere = await ChallengeServer.open(outside, web.port);
      dns.addresses.set("circle.test", outside ?? "");
      try {
        const result = await outcome("moved4.test", (path) => {
          web.answers.set(path, { status: 302, location: `http://circle.test:${web.port}/round` });
          elsewhere.answers.set("/round", { status: 307, location: "/round" });
        });
        expect(result).toEqual({ status: "processing", kind: "connection", detail: "more than 5 redirects" });
        expect(elsewhere.asked).toHaveLength(5);
      } finally {
        elsewhere.close();
      }
    },
  );

  test("does not follow a redirect into this machine", async () => {
    dns.addresses.set("elsewhere.test", "127.0.0.1");
    const result = await outcome("moved.test", (path, answer) => {
      web.answers.set(path, { status: 302, location: `http://elsewhere.test:${web.port}/there` });
      web.answers.set("/there", { body: answer });
    });
    expect(result).toEqual({
      status: "processing",
      kind: "connection",
      detail: "elsewhere.test has no address that may be connected to",
    });
  });

  test.each([
    ["another port", "http://moved2.test:9999/x"],
    ["another scheme", "ftp://moved2.test/x"],
    ["a file", "file:///etc/passwd"],
    ["a URL with a password", "http://a:b@moved2.test/x"],
    ["no URL", "http://["],
  ])("does not follow a redirect to %s", async (_what, location) => {
    const result = await outcome("moved2.test", (path) => {
      web.answers.set(path, { status: 301, location });
    });
    expect(result).toMatchObject({ kind: "connection", detail: "a redirect leads to where none may lead" });
  });

  test("is not looked for at an address that clouds keep for themselves", async () => {
    dns.addresses.set("metadata.test", "169.254.169.254");
    expect(await outcome("metadata.test", () => undefined)).toMatchObject({
      kind: "connection",
      detail: "metadata.test has no address that may be connected to",
    });
  });

  test("whose answer has no end is given up after what it may have", async () => {
    const result = await outcome("endless.test", (path, answer) => {
      web.answers.set(path, { body: answer + "x".repeat(1_000_000) });
    });
    expect(result).toMatchObject({ kind: "unauthorized" });
  });

  test("whose name has no address says so", async () => {
    dns.addresses.set("nowhere.test", "");
    expect(await outcome("nowhere.test", () => undefined)).toMatchObject({ kind: "dns" });
  });
});
