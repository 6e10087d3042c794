import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonObject } from "../../../../src/base/json.ts";
import {
  fillConnectionUrl,
  parsePostgresUrl,
  pathEscape,
  resolvePostgresUrl,
  urlDetails,
} from "../../../../src/engines/database/connection-url.ts";
import { postgresSettings } from "../../../../src/engines/database/plugins/postgresql/settings.ts";

const TEMPLATE = "postgresql://{{username}}:{{password}}@db:5432/app";

function details(more: JsonObject = {}) {
  return urlDetails({ connection_url: TEMPLATE, username: "u", password: "p", ...more });
}

describe("templates", () => {
  test("escaping is Go's PathEscape", () => {
    expect(pathEscape("a/b c;d,e?f%g#é[]!*'()\"")).toBe(
      "a%2Fb%20c%3Bd%2Ce%3Ff%25g%23%C3%A9%5B%5D%21%2A%27%28%29%22",
    );
    expect(pathEscape("$&+:=@-_.~aZ9")).toBe("$&+:=@-_.~aZ9");
  });

  test("user name and password are escaped, unless that is switched off", () => {
    const more = { username: "a/b", password: "c d" };
    expect(fillConnectionUrl(details(more))).toBe("postgresql://a%2Fb:c%20d@db:5432/app");
    const raw = { ...more, disable_escaping: true };
    expect(fillConnectionUrl(details(raw))).toBe("postgresql://a/b:c d@db:5432/app");
  });

  test.each([
    ["connection_url cannot be empty", { connection_url: "" }],
    ["username and/or password cannot contain the template variables", { username: "{{password}}" }],
    ["username and/or password cannot contain the template variables", { password: "x{{username}}" }],
    ["disable_escaping must be true or false", { disable_escaping: "maybe" }],
  ])("refused: %s", (text, more) => {
    expect(() => details(more)).toThrow(text);
  });

  test("any user name and password come through unharmed, in both forms", () => {
    const dsn = "host=db user='{{username}}' password={{password}} dbname=app";
    const text = fc.string({ minLength: 1 }).filter((value) => !value.includes("{{"));
    const property = fc.property(text, text, fc.constantFrom(TEMPLATE, dsn), (username, password, url) => {
      const parsed = resolvePostgresUrl(details({ connection_url: url, username, password }));
      expect([parsed.user, parsed.password, parsed.database]).toEqual([username, password, "app"]);
      expect(parsed.hosts).toEqual([{ host: "db", port: 5432 }]);
    });
    fc.assert(property);
  });
});

describe("parsing", () => {
  const nothing = { user: undefined, password: undefined, database: undefined };
  test.each([
    ["postgres://u:p@h:6000/d", { hosts: [["h", 6000]], user: "u", password: "p", database: "d" }],
    [
      "postgresql://u:p%40%2F%3A%25@h/d",
      { hosts: [["h", 5432]], user: "u", password: "p@/:%", database: "d" },
    ],
    ["postgres://u:p@s:w@h/d", { hosts: [["h", 5432]], user: "u", password: "p@s:w", database: "d" }],
    ["postgres://u@[::1]:6000", { ...nothing, hosts: [["::1", 6000]], user: "u" }],
    ["postgres:///d?host=/run/pg", { ...nothing, hosts: [["/run/pg", 5432]], database: "d" }],
    ["postgres://%2Frun%2Fpg:6000/d", { ...nothing, hosts: [["/run/pg", 6000]], database: "d" }],
    [
      "postgres://a:1,b:2,[::1]/d",
      {
        ...nothing,
        hosts: [
          ["a", 1],
          ["b", 2],
          ["::1", 5432],
        ],
        database: "d",
      },
    ],
    ["postgres://", { ...nothing, hosts: [["localhost", 5432]] }],
    ["host=h port=6000 user=u", { ...nothing, hosts: [["h", 6000]], user: "u" }],
    [
      "host = a,b  dbname='my db' password='it\\'s \\\\'",
      {
        ...nothing,
        hosts: [
          ["a", 5432],
          ["b", 5432],
        ],
        database: "my db",
        password: "it's \\",
      },
    ],
    ["user=u password=", { ...nothing, hosts: [["localhost", 5432]], user: "u" }],
  ])("%s", (text, expected) => {
    const { parameters, ...parsed } = parsePostgresUrl(text);
    const hosts = expected.hosts.map(([host, port]) => ({ host: String(host), port: Number(port) }));
    expect({ ...parsed }).toEqual({ ...expected, hosts });
    expect(parameters.size).toBe(0);
  });

  test("other parameters are kept, decoded", () => {
    const { parameters } = parsePostgresUrl("postgres://h/d?sslmode=require&search_path=a%2Cb");
    expect([...parameters]).toEqual([
      ["sslmode", "require"],
      ["search_path", "a,b"],
    ]);
  });

  test.each([
    "postgres://u:hunter2@h:port/d",
    "postgres://u:hunter2@h:70000/d",
    "postgres://u:hunter2@[::1/d",
    "postgres://u:hunter2%zz@h/d",
    "postgres://u:hunter2@h/d?sslmode",
    "password=hunter2 host",
    "password='hunter2",
    "mysql hunter2",
    "postgres://u:hunter2@a:1,b:2/d?port=1,2,3",
  ])("an error does not repeat the password: %s", (text) => {
    let message = "";
    try {
      parsePostgresUrl(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).not.toBe("");
    expect(message).not.toContain("hunter2");
  });
});

describe("settings", () => {
  const settings = (url: string, more: JsonObject = {}) =>
    postgresSettings({ connection_url: url, username: "u", password: "p", ...more });

  test("defaults", () => {
    const found = settings("postgresql://{{username}}:{{password}}@h/d");
    expect(found).toMatchObject({
      user: "u",
      password: "p",
      applicationName: "vsec",
      connectTimeoutMs: 10_000,
    });
    expect(found).toMatchObject({
      pool: { connectionsMax: 4, idleMax: 4, lifetimeMs: 0 },
      isVerifierSent: true,
    });
    expect(found.tls.mode).toBe("prefer");
    expect(found.options).toBeUndefined();
  });

  test("a login that the URL leaves out is taken from the parameters", () => {
    expect(settings("postgres://h/d")).toMatchObject({ user: "u", password: "p" });
    expect(settings("host=h dbname=d")).toMatchObject({ user: "u", password: "p" });
  });

  test("connection limits follow Vault's rules", () => {
    const limits = (more: JsonObject) => {
      const { connectionsMax, idleMax, lifetimeMs } = settings("postgres://h/d", more).pool;
      return [connectionsMax, idleMax, lifetimeMs];
    };
    expect(limits({ max_open_connections: 2, max_idle_connections: 9 })).toEqual([2, 2, 0]);
    expect(limits({ max_open_connections: "3", max_idle_connections: -1 })).toEqual([3, 0, 0]);
    expect(limits({ max_connection_lifetime: "1m" })).toEqual([4, 4, 60_000]);
    expect(() => limits({ max_connection_lifetime: "soon" })).toThrow(/^invalid max_connection_lifetime: /);
  });

  test("other URL parameters become settings of the session", () => {
    const url =
      "postgres://h/d?search_path=a%20b&application_name=x&connect_timeout=3&options=-c%20geqo%3Doff";
    expect(settings(url)).toMatchObject({
      options: "-c geqo=off -c search_path=a\\ b",
      applicationName: "x",
      connectTimeoutMs: 3000,
    });
  });

  test("an authority that was named turns sslmode=require into verify-ca, as in libpq", () => {
    expect(settings("postgres://h/d?sslmode=require").tls.mode).toBe("require");
    expect(settings("postgres://h/d?sslmode=require&sslrootcert=/ca").tls.mode).toBe("verify-ca");
    const more = { tls_ca: "-----BEGIN CERTIFICATE-----" };
    expect(settings("postgres://h/d?sslmode=require", more).tls.mode).toBe("verify-ca");
    expect(settings("postgres://h/d?sslrootcert=system").tls.mode).toBe("verify-full");
  });

  test.each([
    ["sslmode must be one of", "postgres://h/d?sslmode=no", {}],
    ["sslrootcert=system needs sslmode=verify-full", "postgres://h/d?sslmode=require&sslrootcert=system", {}],
    ["must be given together", "postgres://h/d?sslcert=/c", {}],
    ["tls_ca is not a PEM text", "postgres://h/d", { tls_ca: "/etc/ca.pem" }],
    [
      "'md5' is not a valid password authentication type",
      "postgres://h/d",
      { password_authentication: "md5" },
    ],
    ["the connection parameter sslcrl is not supported", "postgres://h/d?sslcrl=/x", {}],
    ["channel_binding=require is not supported", "postgres://h/d?channel_binding=require", {}],
    ["target_session_attrs must be", "postgres://h/d?target_session_attrs=odd", {}],
    ["connect_timeout must be a number", "postgres://h/d?connect_timeout=x", {}],
    ["max_open_connections must be a whole number", "postgres://h/d", { max_open_connections: "many" }],
  ])("refused: %s", (text, url, more) => {
    expect(() => settings(url, more)).toThrow(text);
  });
});
