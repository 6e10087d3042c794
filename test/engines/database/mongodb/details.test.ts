import { describe, expect, test } from "bun:test";
import { DatabaseError } from "../../../../src/engines/database/plugin.ts";
import { failureOf as sorted } from "../../../../src/engines/database/plugins/mongodb/connection.ts";
import { mongodb } from "../../../../src/engines/database/plugins/mongodb/plugin.ts";
import { mongoSettings } from "../../../../src/engines/database/plugins/mongodb/settings.ts";
import {
  creationOf,
  revocationDatabaseOf,
} from "../../../../src/engines/database/plugins/mongodb/statements.ts";
import { MongoTrial } from "../../../../src/engines/database/plugins/mongodb/trial.ts";
import { deleteUser, userNames } from "../../../../src/engines/database/plugins/mongodb/users.ts";
import { context, failureOf } from "../plugin-context.ts";

type Commands = [string, Record<string, unknown>][];

/** A connection that answers by a script: users as they are found, and a failure for what it does not know. */
function scripted(finds: readonly unknown[][], refuse: Readonly<Record<string, string>> = {}) {
  const said: Commands = [];
  const left = [...finds];
  const run = async (database: string, command: Record<string, unknown>) => {
    said.push([database, command]);
    const [name = ""] = Object.keys(command);
    const isFiltered = "filter" in command;
    const code = isFiltered ? refuse.filter : refuse[name];
    if (code !== undefined) throw new DatabaseError("statement", `refused ${name}`, { serverCode: code });
    return name === "usersInfo" ? { users: left.shift() ?? [] } : { ok: 1 };
  };
  return { connection: { run, close: async () => undefined }, said };
}

describe("a user of MongoDB ends", () => {
  const user = { user: "v", db: "app" };

  test("in whatever database it is, with what it has under way", async () => {
    const { connection, said } = scripted([[user], []]);
    expect(await deleteUser(connection, "v", "admin", { w: "majority" })).toBeNull();
    expect(said).toEqual([
      ["admin", { usersInfo: { forAllDBs: true }, filter: { user: "v" } }],
      ["app", { dropUser: "v", writeConcern: { w: "majority" } }],
      ["admin", { killAllSessions: [user] }],
      ["admin", { usersInfo: { forAllDBs: true }, filter: { user: "v" } }],
    ]);
  });

  test("in the role's database, where the administrator may not look further nor end sessions", async () => {
    const { connection, said } = scripted([[user], []], { filter: "13", killAllSessions: "13" });
    expect(await deleteUser(connection, "v", "app", {})).toBeNull();
    expect(said.map(([database, command]) => `${database} ${Object.keys(command)[0]}`)).toEqual([
      ...[
        "admin usersInfo",
        "app usersInfo",
        "app dropUser",
        "admin killAllSessions",
        "admin usersInfo",
        "app usersInfo",
      ],
    ]);
  });

  test("also when somebody was quicker, and not when it is still there", async () => {
    const quick = scripted([[user], []], { dropUser: "11" });
    expect(await deleteUser(quick.connection, "v", "admin", {})).toBeNull();
    const stuck = scripted([[user], [user]]);
    expect(await deleteUser(stuck.connection, "v", "admin", {})).toMatchObject({
      message: 'user "v" is still in app',
    });
    const refused = scripted([[user]], { dropUser: "13" });
    expect(await deleteUser(refused.connection, "v", "admin", {})).toMatchObject({ serverCode: "13" });
  });
});

describe("the preflight of MongoDB", () => {
  const SETTINGS = { username: 'ad"min', database: "app", writeConcern: {} };
  const probe = { username: "v", password: "hunter2", expiresAt: 0, creationStatements: [] };
  const on = (refuse: Readonly<Record<string, string>>) => {
    const { connection, said } = scripted([], refuse);
    return { trial: new MongoTrial((work) => work(connection), SETTINGS), said };
  };
  const grant = (role: string) =>
    `db.getSiblingDB("app").grantRolesToUser("ad\\"min", [{"role":"${role}","db":"admin"}])`;

  test("tries on nobody what takes a user away, and takes nobody being there for success", async () => {
    const { trial, said } = on({ dropUser: "11", killAllSessions: "59" });
    expect(await trial.rehearse(probe)).toEqual([]);
    expect(said).toEqual([
      ["app", { dropUser: "v", writeConcern: {} }],
      ["admin", { killAllSessions: [{ user: "v", db: "app" }] }],
    ]);
  });

  test("names the role that has what is missing; only who may not drop users makes none", async () => {
    const { trial } = on({ dropUser: "13", killAllSessions: "13", updateUser: "13" });
    expect(await trial.rehearse(probe)).toEqual([
      {
        what: "drop users",
        words: "refused dropUser (error 13)",
        remedy: grant("userAdminAnyDatabase"),
        keepsUsers: true,
      },
      {
        what: "end what a user has under way",
        words: "refused killAllSessions (error 13)",
        remedy: grant("hostManager"),
      },
    ]);
    expect(await trial.tryOn(probe)).toEqual([
      {
        what: "change a user's password",
        words: "refused updateUser (error 13)",
        remedy: grant("userAdminAnyDatabase"),
      },
    ]);
  });

  test("does not repeat the command that the server repeats", async () => {
    const message = 'not authorized on app to execute command { updateUser: "v", pwd: "hunter2", lsid: {} }';
    const run = async () => {
      throw new DatabaseError("statement", message, { serverCode: "13" });
    };
    const trial = new MongoTrial((work) => work({ run, close: async () => undefined }), SETTINGS);
    expect((await trial.tryOn(probe))[0]?.words).toBe(
      "not authorized on app to execute command updateUser (error 13)",
    );
  });

  test("lists users once, without those that hold every right", async () => {
    const users = [
      { user: "a", db: "app", roles: [{ role: "read", db: "app" }] },
      { user: "a", db: "other", roles: [] },
      { user: "root", db: "admin", roles: [{ role: "root", db: "admin" }] },
    ];
    expect(await userNames(scripted([users]).connection)).toEqual(["a"]);
  });
});

describe("the statements of MongoDB", () => {
  test("roles without a database are names", () => {
    const text = '{"db": "app", "roles": [{"role": "read"}, {"role": "readWrite", "db": "x"}, "dbAdmin"]}';
    expect(creationOf([text, "ignored"])).toEqual({
      database: "app",
      roles: ["read", { role: "readWrite", db: "x" }, "dbAdmin"],
    });
    expect(creationOf(['{"roles": [{"role": "read"}]}'])).toMatchObject({ database: "admin" });
  });

  test.each([
    [[], "empty creation statements"],
    [['{"db": "x"}'], "roles array is required in creation statement"],
    [['{"roles": []}'], "roles array is required in creation statement"],
    [["CREATE USER"], "error unmarshalling the creation statement"],
    [['{"roles": [{}]}'], "each entry of roles needs a role"],
  ])("%j is refused", (statements, text) => {
    expect(() => creationOf(statements)).toThrow(text);
  });

  test("revocation names a database, once", () => {
    expect(revocationDatabaseOf([])).toBeUndefined();
    expect(revocationDatabaseOf(['{"db": "app"}'])).toBe("app");
    expect(revocationDatabaseOf(["{}"])).toBe("admin");
    expect(() => revocationDatabaseOf(["{}", "{}"])).toThrow("expected 0 or 1 revocation statements, got 2");
  });
});

describe("the connection details of MongoDB", () => {
  const read = (more: Record<string, string>) =>
    mongoSettings({
      connection_url: "mongodb://{{username}}:{{password}}@h:1/app?tls=true",
      username: "a",
      password: "p@:/%",
      ...more,
    });

  test("a login with any character fits into the URL, whose database is the users'", () => {
    expect(read({})).toMatchObject({ url: "mongodb://a:p%40%3A%2F%25@h:1/app?tls=true", database: "app" });
    expect(read({ connection_url: "mongodb+srv://{{username}}:{{password}}@h" })).toMatchObject({
      database: "admin",
    });
    expect(read({ connection_url: "mongodb://h1,h2/?replicaSet=r" })).toMatchObject({ database: "admin" });
  });

  test("the write concern is JSON, also in base64; majority by default", () => {
    expect(read({}).writeConcern).toEqual({ w: "majority" });
    expect(read({ write_concern: '{"w": 2, "wtimeout": 500, "j": true}' }).writeConcern).toEqual({
      w: 2,
      wtimeout: 500,
      j: true,
    });
    const encoded = Buffer.from('{"wmode": "two"}').toString("base64");
    expect(read({ write_concern: encoded }).writeConcern).toEqual({ w: "two" });
  });

  test.each([
    [{ connection_url: "" }, "connection_url cannot be empty"],
    [{ connection_url: "postgres://x" }, "connection_url must begin with mongodb://"],
    [{ write_concern: "much" }, "error unmarshalling write_concern"],
    [{ tls_ca: "x" }, "tls_ca is not a PEM text"],
    [{ socket_timeout: "soon" }, "invalid socket_timeout"],
  ])("%j is refused", (more, text) => {
    expect(() => read(more)).toThrow(text);
  });

  test.each([
    [18, "auth"],
    [31, "statement"],
    [91, "unreachable"],
    // The primary has done it, and too few of the others.
    [64, "ambiguous"],
  ])("the server's error %p is %s", (code, kind) => {
    expect(sorted(Object.assign(new Error("x"), { code }))).toMatchObject({ kind });
  });

  test("nobody answering is met in time, and the password is not in it", async () => {
    const details = {
      connection_url: "mongodb://{{username}}:{{password}}@127.0.0.1:1/",
      username: "a",
      password: "hunter2",
      server_selection_timeout: "300ms",
    };
    const plugin = mongodb.open(details, context);
    const error = await failureOf(plugin.verify());
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).toStartWith("failed to verify connection: ");
    expect(error.message).not.toContain("hunter2");
    await plugin.close();
  });
});
