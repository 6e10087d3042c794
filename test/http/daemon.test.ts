import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Running, World } from "../e2e/world.ts";
import { type Certificate, CertificateAuthority } from "../servers/certificates.ts";
import { freePort, temporaryDirectory, until } from "../servers/process.ts";
import { ask } from "./world.ts";

const SEAL_KEY = Buffer.alloc(32, 7).toString("base64");
const certificates = temporaryDirectory("vsec-daemon-tls-");
let authority: CertificateAuthority;
let server: Certificate;
let client: Certificate;
beforeAll(() => {
  authority = new CertificateAuthority(certificates.path);
  server = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  client = authority.issue("client", "");
});
afterAll(() => certificates.remove());

const worlds: World[] = [];
const daemons: Running[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) {
    daemon.kill("SIGKILL");
    await daemon.ended;
  }
  for (const world of worlds.splice(0)) world.remove();
});

function newWorld(): World {
  const world = new World("vsec");
  worlds.push(world);
  return world;
}

/** A daemon that alone has the key to the store. */
async function daemon(world: World, line = "daemon", env: Record<string, string> = {}): Promise<Running> {
  const running = world.start(line, { env: { VSEC_SEAL_KEY: SEAL_KEY, ...env } });
  daemons.push(running);
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  await until("the daemon to start", () => isOver || running.stderr().includes("started: "));
  if (isOver) throw new TypeError(`the daemon ended: ${running.stderr()}`);
  return running;
}

async function served(line = "daemon"): Promise<{ readonly world: World; readonly running: Running }> {
  const world = newWorld();
  await world.ok("operator init -seal=env", { env: { VSEC_SEAL_KEY: SEAL_KEY } });
  return { world, running: await daemon(world, line) };
}

const socketOf = (world: World): string => join(world.store, "daemon.sock");

describe("a command of the same store", () => {
  test("asks the daemon, and needs no key of its own", async () => {
    const { world } = await served();
    await world.ok("write cubbyhole/x a=b");
    expect((await world.json<{ data: object }>("read cubbyhole/x")).data).toEqual({ a: "b" });
    const refused = await world.run("read nope/x");
    expect([refused.code, refused.stderr]).toEqual([2, "No value found at nope/x\n"]);
    const alone = await world.run("read cubbyhole/x", { env: { VSEC_DAEMON: "off" } });
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain("VSEC_SEAL_KEY");
  });

  test("works on the store itself once the daemon has ended", async () => {
    const { world, running } = await served();
    running.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(existsSync(socketOf(world))).toBe(false);
    const env = { VSEC_SEAL_KEY: SEAL_KEY };
    expect((await world.run("secrets list", { env })).code).toBe(0);
  });

  test("works on the store itself where a killed daemon has left its socket", async () => {
    const { world, running } = await served();
    running.kill("SIGKILL");
    await running.ended;
    expect(lstatSync(socketOf(world)).isSocket()).toBe(true);
    expect((await world.run("secrets list", { env: { VSEC_SEAL_KEY: SEAL_KEY } })).code).toBe(0);
    await daemon(world);
    expect((await world.run("secrets list")).code).toBe(0);
  });

  test("reaches a socket elsewhere by its address", async () => {
    const world = newWorld();
    const path = join(world.home, "run", "s");
    await daemon(world, `daemon -socket=${path}`);
    const status = await world.run("status", { env: { VSEC_ADDR: `unix://${path}`, VSEC_STORE: undefined } });
    expect([status.code, status.stdout]).toEqual([2, expect.stringMatching(/Initialized +false/)]);
  });
});

describe("a store's life through its daemon", () => {
  test("init, use, and the modes of what lies there", async () => {
    const world = newWorld();
    const running = await daemon(world);
    expect(running.stderr()).toContain("there is no store yet");
    expect((await world.run("secrets list")).stderr).toContain("Vault is sealed");
    await world.ok("operator init -seal=env");
    expect(await world.ok("secrets list")).toContain("sys/");
    const mode = (path: string): number => lstatSync(path).mode & 0o777;
    expect([mode(world.store), mode(socketOf(world))]).toEqual([0o700, 0o600]);
  });

  test("sealed it answers 503 and revokes nothing; unsealed it goes on", async () => {
    const world = newWorld();
    await world.ok("operator init -seal=passphrase", { env: { VSEC_PASSPHRASE: "correct horse" } });
    await world.run("operator seal");
    const running = await daemon(world);
    expect(running.stderr()).toContain("the store is sealed");
    expect((await world.run("status")).code).toBe(2);
    const refused = await world.run("read cubbyhole/x");
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("Code: 503. Errors:\n\n* Vault is sealed"),
    ]);
    await world.ok("operator unseal -", { stdin: "correct horse" });
    expect((await world.run("status")).code).toBe(0);
    expect((await world.run("secrets list")).code).toBe(0);
    await world.ok("operator seal");
    expect((await world.run("status")).code).toBe(2);
  });
});

describe("what a daemon cannot listen on is said, exit 1, and nothing is left", () => {
  test("another daemon's socket", async () => {
    const { world } = await served();
    const second = await world.run("daemon", { env: { VSEC_SEAL_KEY: SEAL_KEY } });
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("a daemon answers there")]);
    expect((await world.run("secrets list")).code).toBe(0);
  });

  test("a port that is in use", async () => {
    const world = newWorld();
    const port = await freePort();
    await daemon(world, `daemon -listen=127.0.0.1:${port}`);
    const other = await world.run(`daemon -store=${world.home}/other -listen=127.0.0.1:${port}`);
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringContaining(`listen tcp 127.0.0.1:${port}: bind: address already in use`),
    ]);
    expect(existsSync(join(world.home, "other", "daemon.sock"))).toBe(false);
  });

  test.each([
    ["-listen=0.0.0.0:0", "is not on the loopback interface"],
    ["-listen=127.0.0.1:0 -tls-cert-file=none.pem -tls-key-file=none.pem", "-tls-cert-file: "],
    ["-socket-group=daemon", "-socket-group needs -socket"],
    ["-once -listen=127.0.0.1:0", "-once listens nowhere"],
  ])("%s", async (flags, text) => {
    const world = newWorld();
    const { code, stderr } = await world.run(`daemon ${flags}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
    expect(existsSync(socketOf(world))).toBe(false);
  });

  test("with -no-listen, two share a store", async () => {
    const { world } = await served();
    await daemon(world, "daemon -no-listen");
    expect((await world.run("secrets list")).code).toBe(0);
  });
});

describe("over TLS", () => {
  test("commands reach it with the flags or the variables that Vault's have", async () => {
    const world = newWorld();
    const port = await freePort();
    const flags = `-tls-cert-file=${server.certFile} -tls-key-file=${server.keyFile} -tls-client-ca-file=${authority.certFile}`;
    await daemon(world, `daemon -listen=127.0.0.1:${port} ${flags}`);
    await world.ok("operator init -seal=env");
    const remote = { VSEC_STORE: undefined, VSEC_ADDR: `https://127.0.0.1:${port}` };
    const own = `-ca-cert=${authority.certFile} -client-cert=${client.certFile} -client-key=${client.keyFile}`;
    await world.ok(`write ${own} cubbyhole/x a=b`, { env: remote });
    const variables = {
      VAULT_CACERT: authority.certFile,
      VAULT_CLIENT_CERT: client.certFile,
      VSEC_CLIENT_KEY: client.keyFile,
    };
    const { data } = await world.json<{ data: object }>("read cubbyhole/x", {
      env: { ...remote, ...variables },
    });
    expect(data).toEqual({ a: "b" });
    const stranger = await world.run("read cubbyhole/x", { env: remote });
    expect([stranger.code, stranger.stderr]).toEqual([
      2,
      `Error reading cubbyhole/x: Get "https://127.0.0.1:${port}/v1/cubbyhole/x": tls: failed to verify certificate: x509: certificate signed by unknown authority\n`,
    ]);
  });

  test("SIGHUP reads certificates again, and keeps the old ones when the new are of no use", async () => {
    const world = newWorld();
    const elsewhere = authority.issue("elsewhere", "DNS:vault.example");
    const [certFile, keyFile] = [join(world.home, "c.pem"), join(world.home, "k.pem")];
    const install = (certificate: Certificate): void => {
      copyFileSync(certificate.certFile, certFile);
      copyFileSync(certificate.keyFile, keyFile);
    };
    install(elsewhere);
    const port = await freePort();
    const running = await daemon(
      world,
      `daemon -listen=127.0.0.1:${port} -tls-cert-file=${certFile} -tls-key-file=${keyFile}`,
    );
    const env = { VSEC_ADDR: `https://127.0.0.1:${port}`, VSEC_CACERT: authority.certFile };
    expect((await world.run("status", { env })).stderr).toContain("is not valid for 127.0.0.1");
    install(server);
    running.kill("SIGHUP");
    await until("the reload", () => running.stderr().includes("read anew"));
    expect((await world.run("status", { env })).code).toBe(2);
    writeFileSync(certFile, "nonsense");
    running.kill("SIGHUP");
    await until("the failed reload", () => running.stderr().includes("could not be read anew"));
    expect((await world.run("status", { env })).code).toBe(2);
  });
});

describe("-dev", () => {
  test("serves an unsealed store in memory, and remembers its root token", async () => {
    const world = newWorld();
    const port = await freePort();
    const running = await daemon(world, `server -dev -dev-listen-address=127.0.0.1:${port}`);
    const token = readFileSync(world.tokenFile, "utf8");
    const env = { VSEC_ADDR: `http://127.0.0.1:${port}` };
    // What courses begin with.
    await world.ok("kv put secret/hello foo=world", { env });
    expect(await world.ok("kv get -mount=secret -field=foo hello", { env })).toBe("world");
    expect(existsSync(world.store)).toBe(false);
    running.kill("SIGTERM");
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toContain("WARNING! dev mode is enabled!");
    expect(stdout).toContain(`\n    $ export VSEC_ADDR='http://127.0.0.1:${port}'\n`);
    expect(stdout).toContain(`\nRoot Token: ${token}\n`);
    expect(stderr).not.toContain(token);
  });

  test("listens where it is told to, and nowhere else", async () => {
    const world = newWorld();
    const port = await freePort();
    const running = await daemon(world, `server -dev -listen=127.0.0.1:${port}`);
    running.kill("SIGTERM");
    const { stdout } = await running.ended;
    expect(stdout.match(/Listener \d+: .*/g)).toEqual([`Listener 1: http://127.0.0.1:${port}`]);
  });

  test("takes a root token, and leaves no other behind", async () => {
    const world = newWorld();
    const port = await freePort();
    const flags = `-dev-listen-address=127.0.0.1:${port} -dev-no-store-token`;
    await daemon(world, `server -dev ${flags}`, { VAULT_DEV_ROOT_TOKEN_ID: "mine" });
    expect(existsSync(world.tokenFile)).toBe(false);
    const place = { path: "", port };
    expect((await ask(place, "GET", "/v1/sys/mounts", { token: "mine" })).status).toBe(200);
    const { json } = await ask(place, "LIST", "/v1/auth/token/accessors", { token: "mine" });
    expect((json as { data: { keys: string[] } }).data.keys).toHaveLength(1);
  });

  test("does not speak plain HTTP to the network unless told to", async () => {
    const world = newWorld();
    const { code, stderr } = await world.run("server -dev -dev-listen-address=0.0.0.0:0");
    expect([code, stderr]).toEqual([1, expect.stringContaining("is not on the loopback interface")]);
  });
});

describe("as a service", () => {
  test("tells the service manager that it is ready, and that it stops", async () => {
    const world = newWorld();
    const bin = join(world.home, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "systemd-notify"), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${world.home}/told\n`);
    chmodSync(join(bin, "systemd-notify"), 0o755);
    const running = await daemon(world, "daemon", {
      NOTIFY_SOCKET: "/run/n",
      PATH: `${bin}:${process.env.PATH}`,
    });
    running.kill("SIGTERM");
    await running.ended;
    const told = readFileSync(join(world.home, "told"), "utf8").replaceAll(/--pid=\d+/g, "--pid=N");
    expect(told).toBe("/run/n --pid=N READY=1\n/run/n --pid=N STOPPING=1\n");
  });

  const python = Bun.which("python3");
  test.skipIf(python === null)("serves on a socket that was handed over (needs python3)", async () => {
    const world = newWorld();
    const path = join(world.home, "handed");
    const script = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1]); s.listen(16)
if s.fileno() != 3: os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], ["vsec", "daemon"])
`;
    const child = Bun.spawn([python ?? "", "-c", script, path, world.binary], {
      env: { HOME: world.home, VSEC_STORE: world.store, PATH: process.env.PATH ?? "" },
      stderr: "pipe",
    });
    try {
      await until("the socket to answer", async () => {
        const health = ask({ path, port: 0 }, "GET", "/v1/sys/health");
        return (await health.catch(() => undefined))?.status === 501;
      });
      expect(existsSync(socketOf(world))).toBe(false);
    } finally {
      child.kill("SIGTERM");
      await child.exited;
    }
    expect(existsSync(path)).toBe(true);
  });
});
