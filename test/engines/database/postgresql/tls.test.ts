import { afterAll, beforeAll, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { CertificateAuthority } from "../../../servers/certificates.ts";
import { type PostgresServer, startPostgres } from "../../../servers/postgres.ts";
import { temporaryDirectory } from "../../../servers/process.ts";
import { failureOf } from "../failure.ts";
import { onEachVersion, openPlugin } from "./fixture.ts";

/** An address of this machine (where it is Linux) that the server's certificate does not name. */
const UNNAMED = "127.0.0.2";

onEachVersion((version) => {
  let secure: PostgresServer;
  let plain: PostgresServer;
  let foreign: CertificateAuthority;
  let folder: ReturnType<typeof temporaryDirectory>;
  beforeAll(async () => {
    folder = temporaryDirectory("vsec-tls-");
    foreign = new CertificateAuthority(folder.path, "another CA");
    const accessRules = [
      "hostnossl all needstls all reject",
      "hostssl all needsplain all reject",
      "hostssl all certified all cert",
    ];
    const settings = process.platform === "linux" ? { listen_addresses: `127.0.0.1,${UNNAMED}` } : {};
    secure = await startPostgres({ version, tls: true, accessRules, settings });
    plain = await startPostgres({ version });
    for (const server of [secure, plain]) {
      for (const name of ["either", "needstls", "needsplain", "certified"]) {
        await server.createAdmin("createrole", name, "pw");
      }
    }
  });
  afterAll(async () => {
    await secure?.stop();
    await plain?.stop();
    folder?.remove();
  });

  /** Logs in. @returns Whether the session is encrypted; undefined when there was none. */
  async function attempt(
    server: PostgresServer,
    user: string,
    query: string,
    more: JsonObject = {},
    host = "127.0.0.1",
  ): Promise<boolean | undefined> {
    const application = `tls-${Math.random()}`;
    const url = `postgresql://${user}:pw@${host}:${server.port}/postgres?${query}&application_name=${application}`;
    const plugin = openPlugin(server, { username: "", password: "" }, "postgres", {
      connection_url: url,
      ...more,
    });
    try {
      await plugin.verify();
      const [row] = await server.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1",
        [application],
      );
      return row?.ssl === true;
    } catch {
      return undefined;
    } finally {
      await plugin.close();
    }
  }

  const [none, open, encrypted] = [undefined, false, true];
  test.each([
    ["disable", "either", open, open],
    ["disable", "needstls", none, open],
    ["allow", "either", open, open],
    ["allow", "needstls", encrypted, open],
    ["prefer", "either", encrypted, open],
    ["prefer", "needsplain", open, open],
    ["require", "either", encrypted, none],
    ["require", "needsplain", none, none],
    ["verify-ca", "either", none, none],
    ["verify-full", "either", none, none],
  ])(
    "sslmode=%s for user %s: with TLS on the server %p, without %p",
    async (mode, user, withTls, without) => {
      expect(await attempt(secure, user, `sslmode=${mode}`)).toBe(withTls);
      expect(await attempt(plain, user, `sslmode=${mode}`)).toBe(without);
    },
  );

  test.each(["verify-ca", "verify-full", "require"])(
    "sslmode=%s takes the server with the right authority and refuses it with another",
    async (mode) => {
      const right = secure.authority;
      for (const [authority, expected] of [
        [right, encrypted],
        [foreign, none],
      ] as const) {
        const query = `sslmode=${mode}&sslrootcert=${encodeURIComponent(authority?.certFile ?? "")}`;
        expect(await attempt(secure, "either", query)).toBe(expected);
        const more = { tls_ca: authority?.cert ?? "" };
        expect(await attempt(secure, "either", `sslmode=${mode}`, more)).toBe(expected);
      }
    },
  );

  test.skipIf(process.platform !== "linux")(
    "verify-full minds the host's name, verify-ca does not",
    async () => {
      const more = { tls_ca: secure.authority?.cert ?? "" };
      for (const [mode, host, expected] of [
        ["verify-full", "localhost", encrypted],
        ["verify-ca", UNNAMED, encrypted],
        ["verify-full", UNNAMED, none],
      ] as const) {
        expect(await attempt(secure, "either", `sslmode=${mode}`, more, host)).toBe(expected);
      }
    },
  );

  test("a client certificate stands for a password, as files and as texts", async () => {
    const { certFile, keyFile, cert, key } = secure.clientCertificate("certified");
    expect(await attempt(secure, "certified", "sslmode=require")).toBe(none);
    const files = `sslmode=require&sslcert=${encodeURIComponent(certFile)}&sslkey=${encodeURIComponent(keyFile)}`;
    expect(await attempt(secure, "certified", files)).toBe(encrypted);
    const more = { tls_certificate: cert, private_key: key, tls_ca: secure.authority?.cert ?? "" };
    expect(await attempt(secure, "certified", "sslmode=verify-full", more)).toBe(encrypted);
  });

  test("the reason for a refused certificate is told", async () => {
    const url = `postgresql://either:pw@127.0.0.1:${secure.port}/postgres?sslmode=verify-full`;
    const plugin = openPlugin(secure, { username: "", password: "" }, "postgres", {
      connection_url: url,
      tls_ca: foreign.cert,
    });
    const error = await failureOf(plugin.verify());
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).toStartWith("the server's certificate was not accepted: ");
    expect(error.message).toEndWith(
      "(no authority that is trusted has signed it: name its authority in tls_ca)",
    );
    const missingFile = openPlugin(secure, { username: "", password: "" }, "postgres", {
      connection_url: `${url}&sslrootcert=/does/not/exist`,
    });
    expect((await failureOf(missingFile.verify())).message).toStartWith(
      "cannot read the file of sslrootcert: ",
    );
    const noPem = openPlugin(secure, { username: "", password: "" }, "postgres", {
      connection_url: `${url}&sslrootcert=${encodeURIComponent(`${import.meta.dirname}/fixture.ts`)}`,
    });
    expect((await failureOf(noPem.verify())).message).toBe("the file of sslrootcert is not a PEM text");
    const brokenPem = openPlugin(secure, { username: "", password: "" }, "postgres", {
      connection_url: url,
      tls_ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    });
    expect((await failureOf(brokenPem.verify())).message).toStartWith(
      "the certificates or keys given for TLS cannot be used: ",
    );
  });
});
