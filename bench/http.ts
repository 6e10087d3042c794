import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CertificateAuthority } from "../test/servers/certificates.ts";
import type { PostgresServer } from "../test/servers/postgres.ts";
import { freePort } from "../test/servers/process.ts";
import type { BenchContext } from "./context.ts";
import { createUser } from "./creds.ts";
import { onOneCore, residentBytes, type Server, startServer } from "./daemon.ts";
import {
  clientsOf,
  drive,
  getMessage,
  type Load,
  measureLoads,
  messageLoad,
  openConnections,
  type Place,
} from "./load.ts";
import { interleave, median, programCandidate } from "./measure.ts";
import { type Figure, formatBytes, type Ratio, type Row, timeRow } from "./report.ts";
import { type BenchWorld, benchWorld, CREDS_PATH } from "./world.ts";

const ROUNDS = 10;
/** Requests of a turn, and how many clients send them at one time. */
const REQUESTS = 2000;
const CONNECTIONS = 8;
/** The same for credentials: what a role costs the database grows with the roles that there are. */
const CREDENTIALS = 100;
const CREDENTIAL_ROUNDS = 8;
/** As many connections as a configuration allows unless it says otherwise. */
const CREDENTIAL_CONNECTIONS = 4;
/** About what a commit of the store writes. */
const FLUSHED_BYTES = 16_384;
const COMMAND_ROUNDS = 20;

const MEMORY_REQUESTS = 100_000;
/** By then everything has been compiled and every cache is filled: what grows later is a leak. */
const MEMORY_WARM_REQUESTS = 20_000;
const SETTLE_MS = 1000;
const SAME = 1.2;

const HEALTH = getMessage("sys/health");

/** How fast the daemon answers over its socket and over TLS, what a command gains by asking it, and what it holds of memory. */
export async function httpFigure(context: BenchContext): Promise<Figure> {
  const server = await context.postgres();
  const bench = await benchWorld(server);
  const running: Server[] = [];
  try {
    const tested = await startBoth(context, bench, running);
    const parts = [
      await requestRates(tested),
      await credentialRates(tested, bench, server),
      await commandTimes(context, bench),
    ];
    await Promise.all(running.splice(0).map((each) => each.stop()));
    parts.push(await memoryHeld(context, bench, tested.lookup));
    return {
      title: `http: the daemon on one core, ${CONNECTIONS} clients of one process over connections that stay open`,
      rows: parts.flatMap(({ rows }) => rows),
      ratios: parts.flatMap(({ ratios }) => ratios),
    };
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    bench.world.remove();
  }
}

type Part = Pick<Figure, "rows" | "ratios">;

interface Transports {
  readonly socket: Place;
  readonly TLS: Place;
}

interface Tested {
  readonly daemon: Transports;
  readonly constant: Transports;
  /** A message that asks about the token which it carries, one that is bound to a policy. */
  readonly lookup: string;
  /** A message that asks for a credential. */
  readonly credential: string;
}

/** Starts the daemon, and the yardstick with the same certificate. */
async function startBoth(context: BenchContext, bench: BenchWorld, running: Server[]): Promise<Tested> {
  const authority = new CertificateAuthority(context.directory, "bench");
  const { certFile, keyFile } = authority.issue("daemon", "IP:127.0.0.1");
  const [port, constantPort] = [await freePort(), await freePort()];
  const tls = [`-listen=127.0.0.1:${port}`, `-tls-cert-file=${certFile}`, `-tls-key-file=${keyFile}`];
  running.push(await startServer(onOneCore([context.vsec, "daemon", ...tls]), bench.env));
  const health = await bench.world.ok("read -format=raw sys/health");
  const constantSocket = join(context.directory, "constant.sock");
  const script = join(import.meta.dirname, "constant-server.ts");
  const args = [constantSocket, String(constantPort), certFile, keyFile, health];
  running.push(await startServer(onOneCore([process.execPath, script, ...args])));
  await bench.world.ok("policy write reader -", {
    stdin: `path "${CREDS_PATH}" { capabilities = ["read"] }`,
  });
  const created = await bench.world.json<{ auth: { client_token: string } }>("token create -policy=reader");
  const token = created.auth.client_token;
  const ca = authority.cert;
  return {
    daemon: { socket: { path: join(bench.world.store, "daemon.sock") }, TLS: { port, ca } },
    constant: { socket: { path: constantSocket }, TLS: { port: constantPort, ca } },
    lookup: getMessage("auth/token/lookup-self", token),
    credential: getMessage(CREDS_PATH, token),
  };
}

async function requestRates({ daemon, constant, lookup }: Tested): Promise<Part> {
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  const all = { pieces: REQUESTS, connections: CONNECTIONS };
  const alone = { pieces: REQUESTS / CONNECTIONS, connections: 1 };
  for (const transport of ["socket", "TLS"] as const) {
    const [ours, theirs] = [daemon[transport], constant[transport]];
    const measured = await measureLoads(
      [
        await messageLoad(`sys/health, ${transport}`, ours, HEALTH, all),
        await messageLoad(`a token's lookup, ${transport}`, ours, lookup, all),
        await messageLoad(`Bun.serve with a constant, ${transport}`, theirs, HEALTH, all),
        await messageLoad(`sys/health, ${transport}, one client`, ours, HEALTH, alone),
        await messageLoad(`a token's lookup, ${transport}, one client`, ours, lookup, alone),
      ],
      ROUNDS,
    );
    const [health = 0, lookups = 0, base = 1] = measured.rates;
    rows.push(...measured.rows);
    ratios.push(
      { what: `sys/health / a constant, ${transport}`, value: health / base },
      { what: `a token's lookup / a constant, ${transport}`, value: lookups / base },
    );
  }
  return { rows, ratios };
}

/** Credentials, beside the same statement over as many connections of the same administrator. */
async function credentialRates(tested: Tested, bench: BenchWorld, server: PostgresServer): Promise<Part> {
  const { daemon, credential } = tested;
  const label = "a database credential";
  const shape = { pieces: CREDENTIALS, connections: CREDENTIAL_CONNECTIONS };
  const { rates, rows } = await measureLoads(
    [
      await messageLoad(`${label}, socket`, daemon.socket, credential, shape),
      await messageLoad(`${label}, TLS`, daemon.TLS, credential, shape),
      await databaseLoad(bench, server),
      flushLoad(bench),
    ],
    CREDENTIAL_ROUNDS,
  );
  const [socket = 0, tls = 0, database = 1, flushes = 1] = rates;
  return {
    rows,
    ratios: [
      { what: "credentials over the socket / the database's own rate", value: socket / database },
      { what: "credentials over TLS / the database's own rate", value: tls / database },
      { what: "credentials over the socket / pairs of flushes", value: socket / flushes },
    ],
  };
}

async function databaseLoad({ admin }: BenchWorld, server: PostgresServer): Promise<Load> {
  const login = { user: admin.username, password: admin.password };
  const connections = await Promise.all(
    Array.from({ length: CREDENTIAL_CONNECTIONS }, () => server.connect(login)),
  );
  let made = 0;
  const clients = connections.map((connection) => () => {
    made += 1;
    return connection.query(createUser(`v-http-bench-${made}`));
  });
  const close = (): void => {
    for (const connection of connections) void connection.end();
  };
  const label = `the same statement, ${CREDENTIAL_CONNECTIONS} connections`;
  return { label, clients, pieces: CREDENTIALS, close };
}

/** What a credential's two commits cost at least: what they write reaches the disk, one after the other. */
function flushLoad({ world }: BenchWorld): Load {
  const file = openSync(join(world.home, "flushed"), "w", 0o600);
  const bytes = Buffer.alloc(FLUSHED_BYTES);
  const flush = (): void => {
    writeSync(file, bytes);
    fdatasyncSync(file);
  };
  const twice = (): void => {
    flush();
    flush();
  };
  const label = "two flushes of the store's disk, one after the other";
  return { label, clients: [twice], pieces: CREDENTIALS, close: () => closeSync(file) };
}

/** The same commands, asking the daemon and working on the store themselves. */
async function commandTimes(context: BenchContext, { env }: BenchWorld): Promise<Part> {
  const inProcess = { ...env, VSEC_DAEMON: "off" };
  const labels = ["sys/mounts", CREDS_PATH].flatMap((path) => [
    { label: `vsec read ${path}, through the socket`, path, env },
    { label: `vsec read ${path}, in-process`, path, env: inProcess },
  ]);
  const samples = await interleave(
    labels.map(({ label, path, env: chosen }) =>
      programCandidate(label, () => ({ command: [context.vsec, "read", path], env: chosen })),
    ),
    COMMAND_ROUNDS,
  );
  const [mounts = [], mountsAlone = [], creds = [], credsAlone = []] = samples;
  return {
    rows: labels.map(({ label }, index) => timeRow(label, samples[index] ?? [])),
    ratios: [
      { what: "vsec read sys/mounts, socket / in-process", value: median(mounts) / median(mountsAlone) },
      { what: `vsec read ${CREDS_PATH}, socket / in-process`, value: median(creds) / median(credsAlone) },
    ],
  };
}

/** What a daemon of its own holds at rest, and after many requests: `sys/health` and lookups in turns. */
async function memoryHeld(context: BenchContext, bench: BenchWorld, lookup: string): Promise<Part> {
  const daemon = await startServer([context.vsec, "daemon"], bench.env);
  const held = async (): Promise<number> => {
    await Bun.sleep(SETTLE_MS);
    return residentBytes(daemon.pid);
  };
  try {
    const atRest = await held();
    const connections = await openConnections({ path: join(bench.world.store, "daemon.sock") }, CONNECTIONS);
    const clients = clientsOf(connections, [HEALTH, lookup]);
    await drive(clients, MEMORY_WARM_REQUESTS);
    const warm = await held();
    await drive(clients, MEMORY_REQUESTS - MEMORY_WARM_REQUESTS);
    const after = await held();
    for (const connection of connections) connection.close();
    const [few, many] = [MEMORY_WARM_REQUESTS, MEMORY_REQUESTS].map((count) => count.toLocaleString("en"));
    return {
      rows: [
        { what: "memory at rest", value: formatBytes(atRest) },
        { what: `memory after ${few} requests`, value: formatBytes(warm) },
        {
          what: `memory after ${many} requests`,
          value: `${formatBytes(after)} (growth since ${few}: ${formatBytes(after - warm)})`,
        },
      ],
      ratios: [{ what: `memory after ${many} / ${few} requests`, value: after / warm, atMost: SAME }],
    };
  } finally {
    await daemon.stop();
  }
}
