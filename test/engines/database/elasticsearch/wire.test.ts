/**
 * What the plugin for Elasticsearch says on the wire. No Elasticsearch can be had from a package registry, so these tests hold the
 * requests against its documented security API; the answers are the documented ones.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { DatabasePlugin } from "../../../../src/engines/database/plugin.ts";
import { elasticsearch } from "../../../../src/engines/database/plugins/elasticsearch/plugin.ts";
import { CertificateAuthority } from "../../../servers/certificates.ts";
import { temporaryDirectory } from "../../../servers/process.ts";
import { context, doomed, failureOf } from "../plugin-context.ts";

/** The next answers by `METHOD /path`; all others are `{}` with status 200. */
const answers = new Map<string, { readonly status: number; readonly body: unknown }>();
const asked: string[] = [];
const LOGIN = { username: "elastic", password: "hunter2:ä" };

function serve(create: (handler: Parameters<typeof createServer>[1]) => Server): Promise<Server> {
  const server = create((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const line = `${request.method} ${request.url}`;
      asked.push(`${line} ${body}`.trim());
      const expected = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64")}`;
      const isLoggedIn = request.headers.authorization === expected;
      const refusal = {
        status: 401,
        body: { error: { type: "security_exception", reason: "unable to authenticate user" } },
      };
      const answer = isLoggedIn ? (answers.get(line) ?? { status: 200, body: {} }) : refusal;
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

const NOT_FOUND = { status: 404, body: {} };
const CREATE = { username: "v-u", password: "p w", expiresAt: 0 };

describe("the wire of the plugin for Elasticsearch", () => {
  let server: Server;
  let plugin: DatabasePlugin;
  const open = (more: JsonObject = {}) =>
    elasticsearch.open({ url: `http://127.0.0.1:${portOf(server)}`, ...LOGIN, ...more }, context);
  beforeAll(async () => {
    server = await serve((handler) => createServer(handler));
    plugin = open();
  });
  beforeEach(() => {
    answers.clear();
    asked.length = 0;
  });
  afterAll(async () => {
    await plugin.close();
    server.close();
  });

  test("verification looks for a role, and is content when there is none", async () => {
    answers.set("GET /_security/role/vault-test", NOT_FOUND);
    await plugin.verify();
    expect(asked).toEqual(["GET /_security/role/vault-test"]);
  });

  test("a user is made with the roles that are named", async () => {
    await plugin.newUser({ ...CREATE, creationStatements: ['{"elasticsearch_roles": ["a", "b"]}'] });
    expect(asked).toEqual(['PUT /_security/user/v-u {"password":"p w","roles":["a","b"]}']);
  });

  test("or with one of its own, which is made first", async () => {
    const definition = { indices: [{ names: ["*"], privileges: ["read"] }] };
    const statement = JSON.stringify({ elasticsearch_role_definition: definition });
    await plugin.newUser({ ...CREATE, creationStatements: [statement] });
    expect(asked).toEqual([
      `PUT /_security/role/v-u ${JSON.stringify(definition)}`,
      'PUT /_security/user/v-u {"password":"p w","roles":["v-u"]}',
    ]);
  });

  test.each([
    [[], "empty creation statements"],
    [["{}"], 'one of "elasticsearch_roles" and "elasticsearch_role_definition" must be provided'],
    [
      ['{"elasticsearch_roles": ["a"], "elasticsearch_role_definition": {"cluster": ["all"]}}'],
      '"elasticsearch_roles" and "elasticsearch_role_definition" are mutually exclusive',
    ],
  ])("creation statements %j are refused", async (creationStatements, text) => {
    expect(await failureOf(plugin.newUser({ ...CREATE, creationStatements }))).toMatchObject({
      status: 400,
      message: text,
    });
    expect(asked).toEqual([]);
  });

  test("a user's end: disabled, its tokens and keys invalid, its role and itself deleted, its absence seen", async () => {
    answers.set("GET /_security/user/v-u", NOT_FOUND);
    expect(await plugin.deleteUsers(doomed("v-u"))).toEqual([null]);
    expect(asked).toEqual([
      "PUT /_security/user/v-u/_disable",
      'DELETE /_security/oauth2/token {"username":"v-u"}',
      'DELETE /_security/api_key {"username":"v-u"}',
      "DELETE /_security/role/v-u",
      "DELETE /_security/user/v-u",
      "GET /_security/user/v-u",
    ]);
  });

  test("one that is gone already is a success, with services off and rights missing", async () => {
    const user = "/_security/user/v-u";
    for (const line of [
      `PUT ${user}/_disable`,
      "DELETE /_security/role/v-u",
      `DELETE ${user}`,
      `GET ${user}`,
    ]) {
      answers.set(line, NOT_FOUND);
    }
    answers.set("DELETE /_security/oauth2/token", {
      status: 400,
      body: { error: { reason: "tokens are not enabled" } },
    });
    answers.set("DELETE /_security/api_key", { status: 403, body: { error: { reason: "unauthorized" } } });
    expect(await plugin.deleteUsers(doomed("v-u"))).toEqual([null]);
  });

  test("one that is still there afterwards is not gone", async () => {
    const outcomes = await plugin.deleteUsers(doomed("v-u"));
    expect(outcomes).toMatchObject([
      { kind: "statement", message: 'user "v-u" is still there after it was deleted' },
    ]);
  });

  test("a password is changed, and a name is escaped", async () => {
    await plugin.setPassword("a/b c", "new", []);
    expect(asked).toEqual(['POST /_security/user/a%2Fb%20c/_password {"password":"new"}']);
  });

  test("users are listed without the server's own and without superusers", async () => {
    const ours = "v-token-app-AAAAAAAAAAAAAAAAAAAA-1700000000";
    const body = {
      elastic: { roles: ["superuser"], metadata: { _reserved: true } },
      kibana_system: { roles: ["kibana_system"], metadata: { _reserved: true } },
      root: { roles: ["superuser"], metadata: {} },
      app: { roles: ["reader"], metadata: {} },
      [ours]: { roles: [ours], metadata: {} },
    };
    answers.set("GET /_security/user", { status: 200, body });
    expect(await plugin.listUsers?.()).toEqual(["app", ours]);
    expect(["app", "v-manual", ours].filter((name) => elasticsearch.usernameMark?.test(name))).toEqual([
      ours,
    ]);
    answers.set("GET /_security/user", { status: 403, body: { error: { reason: "unauthorized" } } });
    expect(await failureOf(plugin.listUsers?.() ?? Promise.resolve())).toMatchObject({
      kind: "statement",
      message: "listing the users failed: unauthorized (status 403)",
    });
  });

  describe("the preflight", () => {
    const question = "POST /_security/user/_has_privileges";
    const rehearse = async () => (await plugin.trial?.())?.rehearse({ ...CREATE, creationStatements: [] });

    test("asks whether the administrator may, before anybody is made", async () => {
      answers.set(question, { status: 200, body: { has_all_requested: true } });
      expect(await rehearse()).toEqual([]);
      expect(asked).toEqual([`${question} {"cluster":["manage_security"]}`]);
      answers.set(question, { status: 200, body: { has_all_requested: false } });
      expect(await rehearse()).toEqual([
        {
          what: "make and delete users and roles",
          words: "it does not have the cluster privilege manage_security",
          keepsUsers: true,
        },
      ]);
    });

    test("makes a user with a role that may nothing", async () => {
      const { plainUser = [] } = (await plugin.trial?.()) ?? {};
      await plugin.newUser({ ...CREATE, creationStatements: plainUser });
      expect(asked).toEqual([
        'PUT /_security/role/v-u {"cluster":[]}',
        'PUT /_security/user/v-u {"password":"p w","roles":["v-u"]}',
      ]);
    });
  });

  test("the old place of the security API", async () => {
    const old = open({ use_old_xpack: true });
    await old.verify();
    expect(asked).toEqual(["GET /_xpack/security/role/vault-test"]);
    await old.close();
  });

  test.each([
    [401, "auth"],
    [403, "statement"],
    [400, "statement"],
    [429, "unreachable"],
    [503, "unreachable"],
  ] as const)("status %i is %s", async (status, kind) => {
    answers.set("PUT /_security/user/v-u", { status, body: { error: { reason: "because of hunter2:ä" } } });
    const error = await failureOf(
      plugin.newUser({ ...CREATE, creationStatements: ['{"elasticsearch_roles": ["a"]}'] }),
    );
    expect(error).toMatchObject({ kind, serverCode: String(status) });
    expect(error.message).toStartWith("creating the user failed: because of [password]");
  });

  test("a proxy that answers with a page is not Elasticsearch", async () => {
    answers.set("GET /_security/role/vault-test", { status: 200, body: "<html>" });
    expect(await failureOf(plugin.verify())).toMatchObject({ kind: "unreachable" });
  });

  test("a wrong password is told from nobody answering", async () => {
    const wrong = open({ password: "other" });
    expect(await failureOf(wrong.verify())).toMatchObject({
      kind: "auth",
      message: "error verifying connection: unable to authenticate user",
    });
    await wrong.close();
    const nobody = open({ url: "http://127.0.0.1:1" });
    expect(await failureOf(nobody.verify())).toMatchObject({ kind: "unreachable" });
    await nobody.close();
  });

  test("TLS is verified by ca_cert, and only insecure goes without", async () => {
    const directory = temporaryDirectory("vsec-es-");
    const authority = new CertificateAuthority(directory.path);
    const { cert, key } = authority.issue("localhost", "IP:127.0.0.1");
    const secure = await serve((handler) => createTlsServer({ cert, key }, handler) as unknown as Server);
    const url = `https://127.0.0.1:${portOf(secure)}`;
    for (const more of [
      { ca_cert: authority.certFile },
      { ca_cert: authority.cert },
      { insecure: true },
    ] as JsonObject[]) {
      const trusting = open({ url, ...more });
      await trusting.verify();
      await trusting.close();
    }
    const doubting = open({ url });
    expect(await failureOf(doubting.verify())).toMatchObject({ kind: "unreachable" });
    await doubting.close();
    secure.close();
    directory.remove();
  });

  test.each<[JsonObject, string]>([
    [{ url: "" }, '"url" must be provided'],
    [{ username: "" }, '"username" must be provided'],
    [{ password: "" }, '"password" must be provided'],
    [{ url: "ftp://x" }, "url must begin with https:// or http://"],
    [{ url: "http://a:b@x" }, "url must not hold a login"],
    [{ client_cert: "/x" }, "client_cert and client_key must be given together"],
  ])("%j is refused", (more, text) => {
    expect(() => open(more)).toThrow(text);
  });
});
