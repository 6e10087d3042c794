import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { JsonObject } from "../../../src/base/json.ts";
import { AuditBroker } from "../../../src/core/audit/broker.ts";
import { processStdout } from "../../../src/core/audit/devices/stdout.ts";
import { auditPaths } from "../../../src/core/audit/paths.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { temporaryDirectories } from "../../platform/temp.ts";
import { freePort, until } from "../../servers/process.ts";
import { ask, refusalOf } from "../wrapping/world.ts";
import { auditWorld, entry, hmac, linesOf, requestPaths } from "./world.ts";

const tempDir = temporaryDirectories();
const newPath = (): string => join(tempDir(), "audit.log");

const ANSWERED = entry({
  response: { data: { password: "hunter2" }, auth: null, leaseId: "", warnings: [], wrapInfo: null },
});
const REFUSED = { status: 500, text: "1 error occurred:\n\t* internal error\n\n" };

describe("enabling an audit device", () => {
  test("writes a test line, then every request and response", async () => {
    const { broker, enable } = await auditWorld();
    const file = newPath();
    expect(await broker.enabled()).toBe(false);
    await enable("file", { file_path: file });
    expect(await broker.enabled()).toBe(true);
    await broker.request(entry());
    await broker.response(ANSWERED);
    await broker.close();
    const lines = linesOf(file);
    expect(lines[0]).toEqual({
      time: "2023-11-14T22:13:20.000Z",
      type: "request",
      auth: { token_type: "default" },
      request: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        operation: "update",
        namespace: { id: "root" },
        path: "sys/audit/test",
      },
    });
    expect(lines.slice(1).map(({ type, request }) => [type, (request as JsonObject).path])).toEqual([
      ["request", "database/creds/readonly"],
      ["response", "database/creds/readonly"],
    ]);
  });

  test("leaves the test line out with skip_test", async () => {
    const { enable, broker } = await auditWorld();
    const file = newPath();
    await enable("file", { path: file, skip_test: "true" });
    expect(linesOf(file)).toEqual([]);
    await broker.close();
  });

  test("has the response to the enabling request itself written, as Vault does", async () => {
    const { broker, enable } = await auditWorld();
    const file = newPath();
    await broker.request(entry({ path: "sys/audit/file" }));
    await enable("file", { file_path: file });
    await broker.response(entry({ path: "sys/audit/file" }));
    await broker.close();
    expect(requestPaths(file)).toEqual(["sys/audit/test", "sys/audit/file"]);
  });

  test("shows the devices, and not what their hashes are keyed by", async () => {
    const { paths, enable, storage, services } = await auditWorld();
    const file = newPath();
    await enable("b", { file_path: file, mode: "0640" });
    const data = { type: "file", description: "all", local: true, options: ["file_path=discard"] };
    await ask(paths, { path: "audit/a/deep", data });
    const { data: shown } = (await ask(paths, { operation: "read", path: "audit" })) ?? {};
    expect(shown).toEqual({
      "a/deep/": {
        path: "a/deep/",
        type: "file",
        description: "all",
        options: { file_path: "discard" },
        local: true,
      },
      "b/": {
        path: "b/",
        type: "file",
        description: "",
        options: { file_path: file, mode: "0640" },
        local: false,
      },
    });
    expect(Object.keys(shown ?? {})).toEqual(["a/deep/", "b/"]);
    const entryOfTable = await services.barrier.get("core/audit");
    const { devices } = JSON.parse(Buffer.from(entryOfTable?.value ?? []).toString("utf8")) as {
      devices: { salt: string }[];
    };
    const { entries } = await storage.scan("", { limit: 100 });
    for (const { salt } of devices) {
      expect(entries.some(({ value }) => Buffer.from(value).includes(salt))).toBe(false);
    }
    expect(new Set(devices.map(({ salt }) => salt)).size).toBe(2);
  });

  const writable = newPath();
  test.each([
    ["no type", "x", {}, 'unknown backend type: ""'],
    ["an unknown type", "x", { type: "kafka" }, 'unknown backend type: "kafka"'],
    [
      "a type named as what objects inherit",
      "x",
      { type: "constructor" },
      'unknown backend type: "constructor"',
    ],
    [
      "syslog",
      "x",
      { type: "syslog" },
      'unknown backend type: "syslog"; send to the system\'s log through a file or socket device',
    ],
    ["a file without a path", "x", { type: "file" }, "file_path is required"],
    [
      "jsonx",
      "x",
      { type: "file", options: { file_path: writable, format: "jsonx" } },
      'unknown format type "jsonx"',
    ],
    [
      "a mode that is no mode",
      "x",
      { type: "file", options: { file_path: writable, mode: "rw" } },
      "invalid value of option mode: it must be octal digits, such as 0600",
    ],
    [
      "a flag that is no flag",
      "x",
      { type: "file", options: { file_path: writable, log_raw: "maybe" } },
      'invalid value of option log_raw: cannot parse "maybe" as bool',
    ],
    [
      "a prefix of several lines",
      "x",
      { type: "file", options: { file_path: writable, prefix: "a\nb" } },
      "prefix must be at most 256 printable characters",
    ],
    [
      "a disk that is full",
      "x",
      { type: "file", options: { file_path: "/dev/full" } },
      "audit backend failed test message: cannot write /dev/full: no space left on device",
    ],
    [
      "a file that cannot be opened",
      "x",
      { type: "file", options: { file_path: "/dev/null/audit.log" } },
      "sanity check failed; unable to open \"/dev/null/audit.log\" for writing: ENOTDIR: not a directory, stat '/dev/null/audit.log'",
    ],
    ["a socket without an address", "x", { type: "socket" }, "address is required"],
    [
      "a socket of an unknown type",
      "x",
      { type: "socket", options: { address: "localhost:1", socket_type: "sctp" } },
      'unknown socket_type "sctp"; known are: tcp, udp, unix',
    ],
    [
      "a socket without a port",
      "x",
      { type: "socket", options: { address: "localhost" } },
      "address must be host:port",
    ],
    [
      "a socket that may hang",
      "x",
      { type: "socket", options: { address: "localhost:1", write_timeout: "1h" } },
      "write_timeout must be from 1 to 60 seconds",
    ],
    ["a path in use", "taken", { type: "file", options: { file_path: "discard" } }, "path already in use"],
    [
      "a path below one in use",
      "taken/x",
      { type: "file", options: { file_path: "discard" } },
      "path already in use",
    ],
  ])("is refused for %s, and nothing is enabled", async (_, path, data, text) => {
    const { paths, broker, enable } = await auditWorld();
    await enable("taken", { file_path: "discard" });
    expect(await refusalOf(ask(paths, { path: `audit/${path}`, data }))).toEqual({ status: 400, text });
    expect((await broker.table.load()).devices.map((device) => device.path)).toEqual(["taken/"]);
    expect(existsSync(writable)).toBe(false);
  });

  test("is refused for more devices than a request should wait for", async () => {
    const { enable } = await auditWorld();
    for (let n = 0; n < 32; n += 1) await enable(`d${n}`, { file_path: "discard" });
    expect(await refusalOf(enable("one-more", { file_path: "discard" }))).toEqual({
      status: 400,
      text: "at most 32 audit devices can be enabled",
    });
  });

  test("can be undone, also when there is none", async () => {
    const { paths, broker, enable } = await auditWorld();
    const file = newPath();
    await enable("file", { file_path: file });
    await broker.request(entry({ path: "sys/audit/file" }));
    for (const path of ["audit/file", "audit/file", "audit/never"]) {
      expect(await ask(paths, { operation: "delete", path })).toBeUndefined();
    }
    await broker.response(entry({ path: "sys/audit/file" }));
    await broker.request(entry());
    expect(requestPaths(file)).toEqual(["sys/audit/test", "sys/audit/file"]);
    expect(await ask(paths, { operation: "read", path: "audit" })).toEqual({ data: {} });
  });
});

describe("audit-hash", () => {
  test("gives what the device writes, which differs from device to device", async () => {
    const { broker, enable, hash } = await auditWorld();
    const file = newPath();
    await enable("file", { file_path: file });
    await enable("other", { file_path: "discard" });
    await broker.response(ANSWERED);
    await broker.close();
    const { response } = linesOf(file)[1] as { response: { data: JsonObject } };
    expect(response.data).toEqual({ password: await hash("hunter2") });
    expect(await hash("hunter2", "other")).not.toBe(await hash("hunter2"));
    const salt = (await broker.table.load()).devices[0]?.salt ?? "";
    expect(await hash("hunter2")).toBe(hmac(salt, "hunter2"));
  });

  test.each([
    ["no input", "file", {}, 'the "input" parameter is empty'],
    ["an unknown device", "nope", { input: "x" }, 'unknown audit backend "nope/"'],
  ])("%s is refused", async (_, path, data, text) => {
    const { paths, enable } = await auditWorld();
    await enable("file", { file_path: "discard" });
    const asked = ask(paths, { path: `audit-hash/${path}`, data });
    expect(await refusalOf(asked)).toEqual({ status: 400, text });
  });
});

describe("audited request headers", () => {
  const at = "config/auditing/request-headers";

  test("are configured by name, whatever its case", async () => {
    const { paths, broker, enable } = await auditWorld();
    const file = newPath();
    await ask(paths, { path: `${at}/X-Trace`, data: { hmac: true } });
    await ask(paths, { path: `${at}/user-agent` });
    expect(await ask(paths, { operation: "read", path: at })).toEqual({
      data: { headers: { "x-trace": { hmac: true }, "user-agent": { hmac: false } } },
    });
    expect(await ask(paths, { operation: "read", path: `${at}/x-TRACE` })).toEqual({
      data: { "x-TRACE": { hmac: true } },
    });
    await enable("file", { file_path: file });
    await broker.request(entry({ headers: { "X-TRACE": "t", "User-Agent": "ci", Cookie: "c" } }));
    await ask(paths, { operation: "delete", path: `${at}/X-Trace` });
    await broker.request(entry({ headers: { "X-TRACE": "t", "User-Agent": "ci", Cookie: "c" } }));
    await broker.close();
    const salt = (await broker.table.load()).devices[0]?.salt ?? "";
    expect(
      linesOf(file)
        .slice(1)
        .map(({ request }) => (request as JsonObject).headers),
    ).toEqual([{ "x-trace": [hmac(salt, "t")], "user-agent": ["ci"] }, { "user-agent": ["ci"] }]);
  });

  test.each(["nope", "constructor", "toString"])("%s was not configured, and is not found", async (name) => {
    const { paths } = await auditWorld();
    expect(await refusalOf(ask(paths, { operation: "read", path: `${at}/${name}` }))).toEqual({
      status: 400,
      text: "Could not find header in config",
    });
    expect(await ask(paths, { operation: "delete", path: `${at}/${name}` })).toBeUndefined();
  });

  test.each(["a b", "__proto__", "é"])("%p is no header's name", async (name) => {
    const { paths } = await auditWorld();
    expect(await refusalOf(ask(paths, { path: `${at}/${name}` }))).toEqual({
      status: 400,
      text: `invalid header name ${JSON.stringify(name)}`,
    });
  });

  test("have a limit", async () => {
    const { paths } = await auditWorld();
    for (let n = 0; n < 128; n += 1) await ask(paths, { path: `${at}/x-${n}` });
    expect(await refusalOf(ask(paths, { path: `${at}/one-more` }))).toMatchObject({ status: 400 });
    expect(await ask(paths, { path: `${at}/X-0`, data: { hmac: true } })).toBeUndefined();
  });
});

describe("when devices fail", () => {
  test("a request is refused when none can write, and so is an answer", async () => {
    const { broker, enable, logged } = await auditWorld();
    await enable("full", { file_path: "/dev/full", skip_test: "1" });
    await enable("fuller", { file_path: "/dev/full", skip_test: "1" });
    expect(await refusalOf(broker.request(entry()))).toEqual(REFUSED);
    expect(await refusalOf(broker.response(ANSWERED))).toEqual({ status: 500, text: "internal error" });
    await broker.close();
    expect(logged.map(({ message, fields }) => `${message}: ${String(fields?.device)}`).sort()).toEqual([
      "audit device failed: full/",
      "audit device failed: fuller/",
    ]);
    expect(JSON.stringify(logged)).not.toContain("hunter2");
  });

  test("one that can write is enough", async () => {
    const { broker, enable } = await auditWorld();
    const file = newPath();
    await enable("full", { file_path: "/dev/full", skip_test: "1" });
    await enable("file", { file_path: file });
    await broker.request(entry());
    await broker.response(ANSWERED);
    await broker.close();
    expect(requestPaths(file)).toHaveLength(3);
  });

  test("nobody is held up without a device, at the price of one read", async () => {
    const { broker, services } = await auditWorld();
    let reads = 0;
    const get = services.barrier.get.bind(services.barrier);
    services.barrier.get = (key) => {
      reads += 1;
      return get(key);
    };
    await broker.request(entry());
    await broker.response(ANSWERED);
    expect(reads).toBe(1);
  });

  test("a device that works again is used again, and that is said once", async () => {
    const { broker, enable, logged } = await auditWorld();
    const file = join(tempDir(), "logs", "audit.log");
    await enable("file", { file_path: file });
    const logs = join(file, "..");
    rmSync(logs, { recursive: true });
    writeFileSync(logs, "in the way");
    expect(await refusalOf(broker.request(entry()))).toEqual(REFUSED);
    expect(await refusalOf(broker.request(entry()))).toEqual(REFUSED);
    rmSync(logs);
    await broker.request(entry());
    await broker.request(entry());
    await broker.close();
    expect(requestPaths(file)).toHaveLength(2);
    expect(logged.map(({ message }) => message)).toEqual(["audit device failed", "audit device works again"]);
  });

  test("one of a type that this version does not know cannot write", async () => {
    const { broker, enable } = await auditWorld();
    const file = newPath();
    await enable("newer", { file_path: "discard" });
    await broker.table.change((config) => ({
      ...config,
      devices: config.devices.map((device) => ({ ...device, type: "holographic" })),
    }));
    expect(await refusalOf(broker.request(entry()))).toEqual(REFUSED);
    await enable("file", { file_path: file, skip_test: "true" });
    await broker.request(entry());
    await broker.close();
    expect(requestPaths(file)).toHaveLength(1);
  });

  test("the device is opened anew when told to, and one that cannot be is counted", async () => {
    const { broker, enable } = await auditWorld();
    const file = newPath();
    await enable("file", { file_path: file });
    await broker.request(entry());
    renameSync(file, `${file}.1`);
    expect(await broker.reopen()).toBe(0);
    expect(statSync(file).size).toBe(0);
    await broker.request(entry());
    rmSync(join(file, ".."), { recursive: true });
    writeFileSync(join(file, ".."), "in the way");
    expect(await broker.reopen()).toBe(1);
    await broker.close();
  });
});

describe("another process on the same store", () => {
  test("finds a device that was enabled, with the same hashes, and one that was disabled", async () => {
    const { broker, enable, paths, another } = await auditWorld();
    const file = newPath();
    const services = await another();
    const other = new AuditBroker(services);
    await other.request(entry({ path: "before" }));
    await enable("file", { file_path: file, skip_test: "true" });
    await other.request(entry({ path: "theirs", data: { x: "1" } }));
    await broker.request(entry({ path: "ours", data: { x: "1" } }));
    await ask(auditPaths(services, other), { operation: "delete", path: "audit/file" });
    await broker.request(entry({ path: "after" }));
    await other.request(entry({ path: "after" }));
    expect(requestPaths(file)).toEqual(["theirs", "ours"]);
    const [theirs, ours] = linesOf(file).map(({ request }) => (request as JsonObject).data);
    expect(theirs).toEqual(ours);
    expect(await ask(paths, { operation: "read", path: "audit" })).toEqual({ data: {} });
  });

  test("changes of both at the same time are both kept", async () => {
    const { broker, paths, another } = await auditWorld();
    const services = await another();
    const others = auditPaths(services, new AuditBroker(services));
    const enabling = Array.from({ length: 12 }, (_, n) =>
      ask(n % 2 === 0 ? paths : others, {
        path: `audit/d${n}`,
        data: { type: "file", options: { file_path: "discard" } },
      }),
    );
    await Promise.all(enabling);
    expect((await broker.table.load()).devices).toHaveLength(12);
  });
});

describe("lines on standard output", () => {
  test.each([
    ["of the type stdout", "stdout", {}],
    ["of a file by that name", "file", { file_path: "STDOUT" }],
  ])("%s carry their prefix", async (_, type, options) => {
    let written = "";
    const { broker, enable } = await auditWorld({
      console: async (text) => {
        written += text;
      },
    });
    await enable("out", { ...options, prefix: "@audit: ", skip_test: "true" }, type);
    await broker.request(entry());
    expect(written.endsWith("\n")).toBe(true);
    const line = written.slice(0, -1);
    expect(line.startsWith("@audit: {")).toBe(true);
    expect(JSON.parse(line.slice("@audit: ".length))).toMatchObject({ type: "request" });
    await broker.close();
  });

  test("are written whole, and a closed output is a failure", async () => {
    const source = `
      const { processStdout } = await import(${JSON.stringify(join(import.meta.dirname, "../../../src/core/audit/devices/stdout.ts"))});
      const { systemClock } = await import(${JSON.stringify(join(import.meta.dirname, "../../../src/platform/clock.ts"))});
      await processStdout(systemClock)("x".repeat(1_000_000) + "\\n");`;
    const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
    const text = await new Response(child.stdout).text();
    expect({ length: text.length, code: await child.exited }).toEqual({ length: 1_000_001, code: 0 });
    const closed = processStdout(systemClock, 987_654);
    expect(closed("x\n")).rejects.toThrow("cannot write standard output: EBADF");
  });
});

/** A listener that keeps what it was sent. */
async function listener(address: { port: number } | { path: string }, { reads } = { reads: true }) {
  const got = { text: "" };
  const sockets: Socket[] = [];
  const server: Server = createTcpServer({ pauseOnConnect: !reads }, (socket) => {
    sockets.push(socket);
    if (reads)
      socket.on("data", (chunk) => {
        got.text += chunk.toString("utf8");
      });
    socket.on("error", () => undefined);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(address, resolve);
  await promise;
  const close = async (): Promise<void> => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    for (const socket of sockets) socket.destroy();
    await closed.promise;
  };
  return { got, close };
}

describe("a socket device", () => {
  test.each(["tcp", "unix"])(
    "sends lines over %s, and goes on when the listener comes back",
    async (type) => {
      const port = await freePort();
      const path = join(tempDir(), "audit.sock");
      const place = type === "tcp" ? { port } : { path };
      const address = type === "tcp" ? `127.0.0.1:${port}` : path;
      const { broker, enable, services } = await auditWorld();
      Object.assign(services.clock, { sleep: systemClock.sleep });
      const first = await listener(place);
      await enable("socket", { address, socket_type: type }, "socket");
      await broker.request(entry());
      await until("two lines", () => first.got.text.split("\n").length === 3);
      await first.close();
      if (type === "unix") rmSync(path, { force: true });
      // The end of the connection is known when a line fails; until then the system takes lines for it.
      await until("the refusal", async () => (await refusalOf(broker.request(entry()))).status === 500);
      const second = await listener(place);
      await broker.request(entry({ path: "again" }));
      await until("the line", () => second.got.text.includes('"again"'));
      await broker.close();
      await second.close();
    },
  );

  test("sends one datagram for each line over udp", async () => {
    const got: string[] = [];
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: { data: (_, bytes) => void got.push(Buffer.from(bytes).toString("utf8")) },
    });
    const { broker, enable, services } = await auditWorld();
    Object.assign(services.clock, { sleep: systemClock.sleep });
    await enable("socket", { address: `127.0.0.1:${socket.port}`, socket_type: "udp" }, "socket");
    await Promise.all([broker.request(entry()), broker.request(entry())]);
    await until("three datagrams", () => got.length === 3);
    for (const line of got) expect(JSON.parse(line)).toMatchObject({ type: "request" });
    await broker.close();
    socket.close();
  });

  test("that takes nothing fails within its time limit", async () => {
    const port = await freePort();
    const { broker, enable, services } = await auditWorld();
    Object.assign(services.clock, { sleep: systemClock.sleep });
    const { close } = await listener({ port }, { reads: false });
    const options = { address: `127.0.0.1:${port}`, write_timeout: "1s", skip_test: "true" };
    await enable("socket", options, "socket");
    // More than the system keeps for a listener that does not read.
    const data = { list: Array.from({ length: 300_000 }, () => "x") };
    expect(await refusalOf(broker.request(entry({ data })))).toEqual(REFUSED);
    await broker.close();
    await close();
  }, 30_000);

  test("that nobody listens at is not enabled", async () => {
    const { enable, services } = await auditWorld();
    Object.assign(services.clock, { sleep: systemClock.sleep });
    const address = `127.0.0.1:${await freePort()}`;
    const { status, text } = await refusalOf(enable("socket", { address }, "socket"));
    expect(status).toBe(400);
    expect(text).toStartWith(`sanity check failed; cannot write to tcp socket ${address}: `);
  });
});

test("an audit file holds one whole line for each of many requests at once", async () => {
  const { broker, enable } = await auditWorld();
  const file = newPath();
  await enable("file", { file_path: file, skip_test: "true" });
  await Promise.all(Array.from({ length: 200 }, (_, n) => broker.request(entry({ requestId: `r${n}` }))));
  await broker.close();
  const ids = linesOf(file).map(({ request }) => (request as JsonObject).id);
  expect(ids.sort()).toEqual(Array.from({ length: 200 }, (_, n) => `r${n}`).sort());
  expect(readFileSync(file, "utf8")).not.toContain("\n\n");
});
