/**
 * Apache Cassandra for tests: the published server, from its Maven packages, with a configuration that asks for passwords.
 * {@link cassandraMissing} says why it cannot run here, for `describe.skipIf`. It starts in about ten seconds.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { auth, Client, policies } from "cassandra-driver";
import { CachedBuild } from "./cached-build.ts";
import { freePort, type ServerProcess, startProcess, temporaryDirectory, until } from "./process.ts";

const VERSION = "5.0.4";

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>cassandra</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>${VERSION}</version>
</dependency></dependencies></project>`;

const BUILD = new CachedBuild(
  "cassandra",
  VERSION,
  [
    ["java", "-version"],
    ["mvn", "-version"],
  ],
  (draft, run) => {
    writeFileSync(join(draft, "pom.xml"), POM);
    run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime");
  },
);

/** Why Cassandra cannot run on this machine; undefined: it can. Fetches it when that was not done before. */
export function cassandraMissing(stepMsMax?: number): string | undefined {
  return BUILD.missing(stepMsMax);
}

/** The superuser that every server starts with. */
export const CASSANDRA_ADMIN = { username: "cassandra", password: "cassandra" } as const;

interface Login {
  readonly username: string;
  readonly password: string;
}

export interface CassandraServer {
  readonly port: number;
  /** Runs a query as the superuser. */
  query(text: string): Promise<readonly Record<string, unknown>[]>;
  /** @throws whatever the driver throws when the login is refused. */
  connect(login: Login): Promise<Client>;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server with nothing in it. @throws with its log when it does not start. */
export async function startCassandra(): Promise<CassandraServer> {
  const directory = temporaryDirectory("vsec-cassandra-");
  const [port, storagePort] = [await freePort(), await freePort()];
  writeConfiguration(directory.path, port, storagePort);
  const logFile = join(directory.path, "cassandra.log");
  const connect = async ({ username, password }: Login): Promise<Client> => {
    const client = new Client({
      contactPoints: ["127.0.0.1"],
      protocolOptions: { port },
      authProvider: new auth.PlainTextAuthProvider(username, password),
      policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
    });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.shutdown();
      throw error;
    }
  };
  let own: Client | undefined;
  const start = async (): Promise<ServerProcess> => {
    const running = startProcess(undefined, javaCommand(directory.path), logFile);
    const isUp = async () => {
      own = running.hasEnded() ? undefined : await connect(CASSANDRA_ADMIN).catch(() => undefined);
      return running.hasEnded() || own !== undefined;
    };
    await until("Cassandra to answer", isUp, 120_000);
    if (own === undefined)
      throw new Error(`Cassandra did not start:\n${readFileSync(logFile, "utf8").slice(-4000)}`);
    return running;
  };
  let running = await start();
  const kill = async (): Promise<void> => {
    await own?.shutdown().catch(() => undefined);
    await running.stop("SIGKILL");
  };
  return {
    port,
    query: async (text) =>
      ((await own?.execute(text))?.rows ?? []) as unknown as readonly Record<string, unknown>[],
    connect,
    kill,
    restart: async () => {
      running = await start();
    },
    stop: async () => {
      await kill();
      directory.remove();
    },
  };
}

function writeConfiguration(directory: string, port: number, storagePort: number): void {
  mkdirSync(join(directory, "conf"));
  const yaml = {
    cluster_name: "vsec",
    num_tokens: 1,
    partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
    commitlog_sync: "periodic",
    commitlog_sync_period: "10000ms",
    data_file_directories: [join(directory, "data")],
    commitlog_directory: join(directory, "commitlog"),
    saved_caches_directory: join(directory, "saved"),
    hints_directory: join(directory, "hints"),
    cdc_raw_directory: join(directory, "cdc"),
    seed_provider: [
      {
        class_name: "org.apache.cassandra.locator.SimpleSeedProvider",
        parameters: [{ seeds: `127.0.0.1:${storagePort}` }],
      },
    ],
    listen_address: "127.0.0.1",
    rpc_address: "127.0.0.1",
    storage_port: storagePort,
    native_transport_port: port,
    endpoint_snitch: "SimpleSnitch",
    authenticator: "PasswordAuthenticator",
    authorizer: "CassandraAuthorizer",
    role_manager: "CassandraRoleManager",
    // What the server remembers of a user, and for how long: nothing, so that a test sees the truth at once.
    roles_validity: "0ms",
    permissions_validity: "0ms",
    credentials_validity: "0ms",
    disk_optimization_strategy: "ssd",
    memtable_allocation_type: "heap_buffers",
  };
  // JSON is YAML.
  writeFileSync(join(directory, "conf/cassandra.yaml"), JSON.stringify(yaml));
  const appender =
    '<appender name="O" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%level %msg%n</pattern></encoder></appender>';
  const logback = `<configuration>${appender}<root level="WARN"><appender-ref ref="O"/></root></configuration>`;
  writeFileSync(join(directory, "conf/logback.xml"), logback);
}

/** What of the Java library the server looks into; the list of its own start script, without what tests do not use. */
const EXPORTS = [
  ...[
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.sql/java.sql",
  ],
  ...[
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
  ],
  ...["java.rmi/sun.rmi.transport.tcp", "java.base/java.lang.ref", "java.base/jdk.internal.reflect"],
];
const OPENS = [
  ...["java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref"],
  ...["java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module"],
  ...[
    "java.base/jdk.internal.util.jar",
    "jdk.management/com.sun.management.internal",
    "java.base/sun.nio.ch",
  ],
  ...["java.base/java.io", "java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.util"],
  ...[
    "java.base/java.util.concurrent",
    "java.base/java.nio",
    "java.base/java.net",
    "java.base/jdk.internal.misc",
  ],
];

function javaCommand(directory: string): readonly string[] {
  const modules = [
    ...EXPORTS.flatMap((name) => ["--add-exports", `${name}=ALL-UNNAMED`]),
    ...OPENS.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
  ];
  const settings = {
    "cassandra.config": `file://${directory}/conf/cassandra.yaml`,
    "logback.configurationFile": `${directory}/conf/logback.xml`,
    "cassandra.storagedir": directory,
    "cassandra-foreground": "yes",
    // One node has nobody to wait for.
    "cassandra.skip_wait_for_gossip_to_settle": "0",
    "cassandra.superuser_setup_delay_ms": "0",
    "cassandra.ring_delay_ms": "0",
    "jdk.attach.allowAttachSelf": "true",
    "java.io.tmpdir": directory,
  };
  return [
    ...["java", "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...modules],
    ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
    ...["-cp", `${directory}/conf:${BUILD.directory}/lib/*`, "org.apache.cassandra.service.CassandraDaemon"],
  ];
}
