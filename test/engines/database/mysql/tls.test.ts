import { afterAll, beforeAll, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { CertificateAuthority } from "../../../servers/certificates.ts";
import { type MysqlServer, startMysql } from "../../../servers/mysql.ts";
import { temporaryDirectory } from "../../../servers/process.ts";
import { onEachFlavour, openPlugin } from "./fixture.ts";

/** An address of this machine (where it is Linux) that the server's certificate does not name. */
const UNNAMED = "127.0.0.2";

onEachFlavour((flavour) => {
  let secure: MysqlServer;
  let plain: MysqlServer;
  let foreign: CertificateAuthority;
  let folder: ReturnType<typeof temporaryDirectory>;
  beforeAll(async () => {
    folder = temporaryDirectory("vsec-tls-");
    foreign = new CertificateAuthority(folder.path, "another CA");
    secure = await startMysql({ flavour, tls: true, flags: ["--bind-address=0.0.0.0"] });
    const off = flavour === "MariaDB" ? "--skip-ssl" : "--tls-version=";
    plain = await startMysql({ flavour, flags: [off] });
    for (const server of [secure, plain]) {
      await server.query("CREATE USER 'either'@'%' IDENTIFIED BY 'pw'");
      await server.query("CREATE USER 'needstls'@'%' IDENTIFIED BY 'pw' REQUIRE SSL");
      await server.query("CREATE USER 'certified'@'%' IDENTIFIED BY 'pw' REQUIRE X509");
      await server.query("CREATE PROCEDURE app.cipher() SELECT 1");
    }
  });
  afterAll(async () => {
    await secure?.stop();
    await plain?.stop();
    folder?.remove();
  });

  /** Logs in. @returns Undefined when it worked, else what went wrong. */
  async function attempt(
    server: MysqlServer,
    user: string,
    tls: string,
    more: JsonObject = {},
    host = "127.0.0.1",
  ): Promise<string | undefined> {
    const url = `${user}:pw@tcp(${host}:${server.port})/${tls === "" ? "" : `?tls=${tls}`}`;
    const plugin = openPlugin(server, { username: "", password: "" }, { connection_url: url, ...more });
    try {
      await plugin.verify();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await plugin.close();
    }
  }

  test.each([
    ["", "either", true, true],
    ["false", "either", true, true],
    ["", "needstls", false, false],
    ["preferred", "either", true, true],
    ["preferred", "needstls", true, false],
    ["skip-verify", "needstls", true, false],
    ["true", "either", false, false],
  ])(
    "tls=%s for user %s: with TLS on the server %p, without %p",
    async (tls, user, isLetInSecure, isLetInPlain) => {
      expect((await attempt(secure, user, tls)) === undefined).toBe(isLetInSecure);
      expect((await attempt(plain, user, tls)) === undefined).toBe(isLetInPlain);
    },
  );

  test("tls_ca turns TLS on, and verifies who vouches for the server and for which address", async () => {
    const ca = { tls_ca: secure.authority.cert };
    expect(await attempt(secure, "needstls", "", ca)).toBeUndefined();
    expect(await attempt(secure, "needstls", "", ca, "localhost")).toBeUndefined();
    expect(await attempt(secure, "needstls", "", { tls_ca: foreign.cert })).toContain(
      "the server's certificate was not accepted",
    );
    expect(await attempt(plain, "either", "", ca)).toContain("does not support secure connection");
  });

  test.skipIf(process.platform !== "linux")(
    "a certificate for another name is refused, unless told which name to ask for",
    async () => {
      const ca = { tls_ca: secure.authority.cert };
      expect(await attempt(secure, "either", "", ca, UNNAMED)).toContain(
        `the server's certificate is not for ${UNNAMED}`,
      );
      const named = { ...ca, tls_server_name: "localhost" };
      expect(await attempt(secure, "either", "", named, UNNAMED)).toBeUndefined();
      const wrong = { ...ca, tls_server_name: "db.example" };
      expect(await attempt(secure, "either", "", wrong)).toContain("is not for db.example");
      expect(await attempt(secure, "either", "", { ...wrong, tls_skip_verify: true })).toBeUndefined();
    },
  );

  test("a client certificate is shown where there is one", async () => {
    const { cert, key } = secure.authority.issue("certified", "");
    const ca = { tls_ca: secure.authority.cert };
    expect(await attempt(secure, "certified", "", ca)).toContain("Access denied");
    expect(
      await attempt(secure, "certified", "", { ...ca, tls_certificate_key: cert + key }),
    ).toBeUndefined();
  });
});
