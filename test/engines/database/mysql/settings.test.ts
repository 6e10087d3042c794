import { describe, expect, test } from "bun:test";
import { ApiError } from "../../../../src/base/errors.ts";
import type { JsonObject } from "../../../../src/base/json.ts";
import { mysql, mysqlShortNames } from "../../../../src/engines/database/plugins/mysql/plugin.ts";
import { mysqlSettings } from "../../../../src/engines/database/plugins/mysql/settings.ts";
import { systemRandom } from "../../../../src/platform/random.ts";

const LOGIN = { username: "ad:m@in", password: "p@s/s?w&o=rd)" };

function settings(connection_url: string, more: JsonObject = {}) {
  return mysqlSettings({ connection_url, ...LOGIN, ...more });
}

describe("How clients connect", () => {
  const user = { username: "v-u", password: "p/w" };
  const connection = (connection_url: string, more: JsonObject = {}) =>
    mysql.clientConnection?.({ connection_url, ...LOGIN, ...more }, user);

  test("to a host: with a URL, and the variables of clients and container images", async () => {
    expect(await connection("{{username}}:{{password}}@tcp(a:3307,b)/app?tls=true")).toEqual({
      url: "mysql://v-u:p%2Fw@a:3307/app?ssl-mode=VERIFY_IDENTITY",
      environment: {
        MYSQL_HOST: "a",
        MYSQL_TCP_PORT: "3307",
        MYSQL_USER: "v-u",
        MYSQL_PWD: "p/w",
        MYSQL_DATABASE: "app",
      },
      tlsMode: "VERIFY_IDENTITY",
    });
  });

  test("with the TLS of the connection, as far as clients can have it", async () => {
    const text = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
    const url = "{{username}}:{{password}}@tcp(a)/";
    expect(await connection(url, { tls_ca: text })).toMatchObject({
      tlsMode: "VERIFY_IDENTITY",
      authorities: text,
    });
    // They cannot be told another name than the one they connect to.
    expect(await connection(url, { tls_ca: text, tls_server_name: "b" })).toMatchObject({
      url: "mysql://v-u:p%2Fw@a:3306/?ssl-mode=VERIFY_CA",
      tlsMode: "VERIFY_CA",
    });
    expect(await connection(`${url}?tls=skip-verify`)).toMatchObject({ tlsMode: "REQUIRED" });
    expect(await connection(url)).not.toHaveProperty("tlsMode");
  });

  test("to an address, and to a socket", async () => {
    expect(await connection("{{username}}:{{password}}@tcp([::1])/")).toMatchObject({
      url: "mysql://v-u:p%2Fw@[::1]:3306/",
    });
    expect(await connection("{{username}}:{{password}}@unix(/run/my.sock)/")).toMatchObject({
      url: "mysql://v-u:p%2Fw@localhost/?socket=%2Frun%2Fmy.sock",
      environment: { MYSQL_HOST: "localhost", MYSQL_UNIX_PORT: "/run/my.sock" },
    });
  });
});

describe("A connection_url of MySQL", () => {
  test.each([
    ["{{username}}:{{password}}@tcp(db:3307)/app", [{ host: "db", port: 3307 }], "app"],
    ["{{username}}:{{password}}@tcp(db)/", [{ host: "db", port: 3306 }], ""],
    ["{{username}}:{{password}}@/", [{ host: "127.0.0.1", port: 3306 }], ""],
    ["{{username}}:{{password}}@tcp([::1]:3307)/", [{ host: "::1", port: 3307 }], ""],
    ["{{username}}:{{password}}@tcp6(fe80::1)/", [{ host: "fe80::1", port: 3306 }], ""],
    ["{{username}}:{{password}}@unix(/run/my.sock)/a%2Fb", [{ path: "/run/my.sock" }], "a/b"],
    ["{{username}}:{{password}}@unix/", [{ path: "/tmp/mysql.sock" }], ""],
    [
      "{{username}}:{{password}}@tcp(a:1,b)/",
      [
        { host: "a", port: 1 },
        { host: "b", port: 3306 },
      ],
      "",
    ],
  ])("%s", (url, places, database) => {
    const found = settings(url);
    expect(found).toMatchObject({ places: places as never, database, user: "ad:m@in" });
    expect(found.password).toBe(LOGIN.password);
  });

  test("a literal login is taken up to the last @, and a password's own colons stay in it", () => {
    expect(settings("bob:a:b@c@tcp(h)/")).toMatchObject({ user: "bob", password: "a:b@c" });
    expect(settings("bob@tcp(h)/")).toMatchObject({ user: "bob", password: "" });
  });

  test.each([
    ["{{username}}:{{password}}@tcp(h)", "missing the slash"],
    ["{{username}}:{{password}}@tcp(h/", "not terminated"],
    ["{{username}}:{{password}}@pipe(h)/", "the network must be tcp or unix"],
    ["{{username}}:{{password}}@tcp(h:99999)/", "wrong host or port"],
    ["{{username}}:{{password}}@tcp(h)/?tls=mine", "tls must be true, false, skip-verify or preferred"],
    ["{{username}}:{{password}}@tcp(h)/?timeout=soon", "timeout is not a duration"],
    ["{{username}}:{{password}}@tcp(h)/?allowOldPasswords=true", "allowOldPasswords is not supported"],
    ["{{username}}:{{password}}@tcp(h)/?a%20b=1", "invalid parameter name"],
    ["", "connection_url cannot be empty"],
  ])("%s is refused without its password", (url, reason) => {
    try {
      settings(url);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError);
      expect((error as ApiError).status).toBe(400);
      expect((error as ApiError).message).toContain(reason);
      expect((error as ApiError).message).not.toContain("p@s");
    }
  });

  test("parameters of the driver are understood, and all others become settings of the session", () => {
    const url =
      "u:p@tcp(h)/?parseTime=true&timeout=3s&allowCleartextPasswords=1&sql_mode=%27ANSI%27&wait_timeout=60";
    expect(settings(url)).toMatchObject({
      connectTimeoutMs: 3000,
      isCleartextAllowed: true,
      variables: ["sql_mode = 'ANSI'", "wait_timeout = 60"],
    });
  });

  test("TLS material that is no PEM text is refused by its name", () => {
    const url = "u:p@tcp(h)/";
    expect(() => settings(url, { tls_ca: "nonsense" })).toThrow("tls_ca is not a PEM text");
    const half = { tls_certificate_key: "-----BEGIN CERTIFICATE-----" };
    expect(() => settings(url, half)).toThrow(
      "tls_certificate_key must hold a certificate and its private key",
    );
  });
});

describe("The default user name", () => {
  const name = (type: typeof mysql, display: string, role: string) => {
    const whole = type.defaultUsername(display, role, systemRandom, 1_700_000_000_000);
    return whole.slice(0, type.usernameBytesMax);
  };

  test("is Vault's, cut to the length that the server takes", () => {
    expect(name(mysql, "token", "myrolename")).toMatch(/^v-token-myrolename-[A-Za-z0-9]{13}$/);
    expect(name(mysqlShortNames, "token", "myrolename")).toMatch(/^v-myro-[A-Za-z0-9]{9}$/);
  });
});
