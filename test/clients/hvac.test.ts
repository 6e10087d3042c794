import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { callsOf, HVAC, passing } from "./calls.ts";
import { type ClientDaemon, startDaemon } from "./daemon.ts";
import { hvacMissing, runSession, type SessionReport } from "./hvac.ts";
import { signedJwt } from "./jwt.ts";

const missing = hvacMissing() ?? postgresMissing(18);
const SESSION_MS_MAX = 60_000;

describe.skipIf(missing !== undefined)(`hvac${missing === undefined ? "" : ` (${missing})`}`, () => {
  let daemon: ClientDaemon;
  let server: PostgresServer;
  let report: SessionReport;
  beforeAll(async () => {
    [daemon, server] = await Promise.all([startDaemon(), startPostgres({ version: 18 })]);
    const { publicKey, token } = await signedJwt();
    const url = server.url({ database: "postgres", user: "{{username}}", password: "{{password}}" });
    report = await runSession({
      url: daemon.url,
      audit_file: join(daemon.directory, "trail.log"),
      database: { url, ...(await server.createAdmin("createrole")) },
      jwt: { public_key: publicKey, token },
    });
  }, SESSION_MS_MAX);
  afterAll(async () => {
    await daemon?.stop();
    await server?.stop();
  });

  test("goes through a whole session, in which everything is as it expects", () => {
    expect(report.failures).toEqual([]);
  });

  test("makes every call that is said to pass", () => {
    expect([...report.passed].sort()).toEqual([...passing(HVAC)].sort());
  });

  test("has no call in these parts that the table leaves out", () => {
    const listed = callsOf(HVAC).filter((call) => !call.startsWith("client."));
    expect([...report.methods].sort()).toEqual([...listed].sort());
  });

  test("leaves no user in the database", async () => {
    expect(await server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'")).toEqual([]);
  });
});
