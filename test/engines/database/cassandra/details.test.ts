import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../../src/base/json.ts";
import { cassandra } from "../../../../src/engines/database/plugins/cassandra/plugin.ts";
import { cassandraSettings } from "../../../../src/engines/database/plugins/cassandra/settings.ts";
import { context, failureOf } from "../plugin-context.ts";

const DETAILS = { hosts: "a, b", username: "u", password: "hunter2" };
const read = (more: JsonObject = {}) => cassandraSettings({ ...DETAILS, ...more });
const block = (type: string, text: string) => `-----BEGIN ${type}-----\n${text}\n-----END ${type}-----`;

describe("the connection details of Cassandra", () => {
  test("defaults", () => {
    expect(read()).toMatchObject({
      hosts: ["a", "b"],
      port: 9042,
      tls: undefined,
      connectTimeoutMs: 5000,
      protocolVersion: 0,
    });
  });

  test("a bundle is a certificate with its key and authorities, or authorities alone; either means TLS", () => {
    const [own, key, root] = [
      block("CERTIFICATE", "own"),
      block("RSA PRIVATE KEY", "key"),
      block("CERTIFICATE", "root"),
    ];
    expect(read({ pem_bundle: [own, key, root].join("\n") }).tls).toMatchObject({
      certificate: own,
      key,
      authorities: root,
    });
    expect(read({ pem_bundle: root }).tls).toMatchObject({
      certificate: undefined,
      authorities: root,
      isVerified: true,
    });
    const issued = { data: { certificate: own, private_key: key, issuing_ca: root, ca_chain: [root] } };
    expect(read({ pem_json: JSON.stringify(issued) }).tls).toMatchObject({
      certificate: own,
      key,
      authorities: root,
    });
    expect(read({ tls: true, insecure_tls: true, tls_min_version: "tls13" }).tls).toMatchObject({
      isVerified: false,
      minVersion: "TLSv1.3",
    });
  });

  test.each<[JsonObject, string]>([
    [{ hosts: "" }, "hosts cannot be empty"],
    [{ username: "" }, "username cannot be empty"],
    [{ password: "" }, "password cannot be empty"],
    [{ pem_bundle: "a", pem_json: "{}" }, "cannot specify both pem_json and pem_bundle"],
    [{ pem_bundle: "a" }, "pem_bundle is not a PEM text"],
    [{ pem_json: "a" }, "pem_json is not JSON"],
    [{ tls: true, tls_min_version: "ssl3" }, "invalid 'tls_min_version': ssl3"],
    [{ consistency: "SOME" }, 'invalid consistency "SOME"'],
    [{ protocol_version: 9 }, "protocol_version must be a whole number from 1 to 6"],
  ])("%j is refused", (more, text) => {
    expect(() => read(more)).toThrow(text);
  });

  test("nobody answering is met, and the password is not in it", async () => {
    const plugin = cassandra.open({ ...DETAILS, hosts: "127.0.0.1", port: 1 }, context);
    const error = await failureOf(plugin.verify());
    expect(error).toMatchObject({ kind: "unreachable" });
    expect(error.message).toStartWith("error verifying connection: cannot connect to 127.0.0.1 port 1: ");
    expect(error.message).not.toContain("hunter2");
    await plugin.close();
  });

  test("user names are Vault's", () => {
    const name = cassandra.defaultUsername("token", "my-role", context.random, 1_700_000_000_000);
    expect(name).toMatch(/^v_token_my_role_[a-z0-9]{20}_1700000000$/);
  });
});
