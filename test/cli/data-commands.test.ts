import { describe, expect, test } from "bun:test";
import { VsecError } from "../../src/base/errors.ts";
import { denied, empty, envelope, nothing, refused, sent } from "./fake-world.ts";

describe("a table on a terminal", () => {
  const answer = () => envelope({ data: { "a\u001b[2J": "x\u001b]0;title\u0007\r y\r\nz\tend\u009b31m" } });

  test("does nothing to the terminal, whatever was stored", async () => {
    const { stdout } = await sent(["read", "p"], { answers: [answer()], stdoutIsTTY: true });
    expect(stdout).toContain("a\\x1b[2J    x\\x1b]0;title\\x07\\x0d y\r\nz\tend\\x9b31m\n");
  });

  test("is as it was stored where a program reads it, and so is a field", async () => {
    const { stdout } = await sent(["read", "p"], { answers: [answer()], stdoutIsTTY: false });
    expect(stdout).toContain("x\u001b]0;title\u0007");
    const field = await sent(["read", "-field=a\u001b[2J", "p"], { answers: [answer()], stdoutIsTTY: true });
    expect(field.stdout).toContain("x\u001b]0;title\u0007");
  });
});

describe("commands about data", () => {
  test("read asks for the path without slashes at its ends, and prints the answer", async () => {
    const ran = await sent(["read", "/database/creds/readonly/"], {
      answers: [envelope({ data: { a: "b" } })],
    });
    expect(ran.requests).toEqual([{ method: "GET", path: "database/creds/readonly" }]);
    expect(ran.stdout).toBe("Key    Value\n---    -----\na      b\n");
    expect([ran.exitCode, ran.stderr, ran.closed]).toEqual([0, "", 1]);
  });

  test("read shows a text as it came when it is asked for the raw answer", async () => {
    const ran = await sent(["read", "-format=raw", "sys/metrics", "format=prometheus"], {
      answers: [{ status: 200, body: "# TYPE a gauge\na 1\n" }],
    });
    expect(ran).toMatchObject({ exitCode: 0, stdout: "# TYPE a gauge\na 1\n", stderr: "" });
  });

  test("read turns further pairs into parameters", async () => {
    const ran = await sent(["read", "p", "a=1", "a=2"], { answers: [envelope({ data: {} })] });
    expect(ran.requests).toEqual([{ method: "GET", path: "p", query: { a: ["1", "2"] } }]);
  });

  test("read -wait asks the engine to see the credential work first", async () => {
    const ran = await sent(["read", "-wait", "aws/creds/r", "ttl=1h"], { answers: [envelope({ data: {} })] });
    expect(ran.requests).toEqual([
      { method: "GET", path: "aws/creds/r", query: { ttl: "1h", wait: "true" } },
    ]);
  });

  test("flags after the path count, and are not sent", async () => {
    const ran = await sent(["read", "p", "-format=json", "-field", "a"], {
      answers: [envelope({ data: { a: "x" } })],
    });
    expect(ran.requests).toEqual([{ method: "GET", path: "p" }]);
    expect(ran.stdout).toBe('"x"');
  });

  test("read of nothing is exit 2", async () => {
    const ran = await sent(["read", "nope/x"], { answers: [nothing] });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", "No value found at nope/x\n"]);
  });

  test("a 404 with data is an answer", async () => {
    const ran = await sent(["read", "p"], {
      answers: [{ status: 404, body: { data: { a: 1 }, warnings: null } }],
    });
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toBe("Key    Value\n---    -----\na      1\n");
  });

  test("a refusal is the error block, exit 2", async () => {
    const ran = await sent(["read", "secret/foo", "v=1"], { answers: [denied] });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toBe(
      "Error reading secret/foo: Error making API request.\n\nURL: GET vsec://local/v1/secret/foo?v=1\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n\n",
    );
  });

  test("several errors follow each other without a newline, and none leaves nothing", async () => {
    const two = await sent(["read", "p"], { answers: [refused(400, "a", "b")] });
    expect(two.stderr).toEndWith("Code: 400. Errors:\n\n* a* b\n");
    const none = await sent(["read", "p"], { answers: [refused(500)] });
    expect(none.stderr).toEndWith("Code: 500. Errors:\n\n\n");
  });

  test("read shows bytes as they came when it is asked for the raw answer, and nothing of them else", async () => {
    const bytes = Buffer.from([0x30, 0x82, 0x00, 0xff, 0x0a]);
    const answers = [{ status: 200, body: null, bytes, contentType: "application/pkix-crl" }];
    const raw = await sent(["read", "-format=raw", "pki/crl"], { answers });
    expect([raw.exitCode, Buffer.from(raw.stdout, "latin1")]).toEqual([0, bytes]);
    const table = await sent(["read", "pki/crl"], { answers });
    expect([table.exitCode, table.stdout]).toEqual([2, ""]);
    expect(table.stderr).toBe(
      "Error reading pki/crl: the answer is not JSON; -format=raw shows it as it is\n",
    );
    const text = [{ status: 200, body: "-----BEGIN CERTIFICATE-----" }];
    const json = await sent(["read", "-format=json", "pki/ca/pem"], { answers: text });
    expect([json.exitCode, json.stdout, json.stderr.includes("-format=raw")]).toEqual([2, "", true]);
  });

  test("a refusal that is no JSON is shown raw", async () => {
    const ran = await sent(["read", "p"], { answers: [{ status: 502, body: "bad gateway" }] });
    expect(ran.stderr).toEndWith("Code: 502. Raw Message:\n\nbad gateway\n");
  });

  test("a refusal without errors shows its warnings, also of a list", async () => {
    const answers = [{ status: 404, body: { data: null, warnings: ["Invalid path"] } }];
    const written = await sent(["write", "secret/foo", "a=1"], { answers });
    expect([written.exitCode, written.stdout]).toEqual([2, ""]);
    expect(written.stderr).toContain("Code: 404. Errors:\n\n\n");
    expect(written.stderr).toContain("  * Invalid path\n");
    const listed = await sent(["list", "secret"], { answers });
    expect([listed.exitCode, listed.stdout]).toEqual([2, ""]);
    expect(listed.stderr).toStartWith("No entries found at secret\n");
    expect(listed.stderr).toContain("  * Invalid path\n");
  });

  test("an API that cannot be reached is one line, exit 2", async () => {
    const answers = [new VsecError("STORE_MISSING", "there is no store here")];
    const ran = await sent(["read", "p"], { answers });
    expect([ran.exitCode, ran.stderr]).toEqual([2, "Error reading p: there is no store here\n"]);
  });

  test("a client that cannot be set up is the plain error, exit 2", async () => {
    const ran = await sent(["read", "p"], {
      failToOpen: new VsecError("KEYCHAIN_UNAVAILABLE", "no keychain"),
    });
    expect([ran.exitCode, ran.stderr, ran.closed]).toEqual([2, "no keychain\n", 0]);
  });

  test("raw prefixes its error as Vault does", async () => {
    const ran = await sent(["read", "-format=raw", "p"], { answers: [denied] });
    expect(ran.stderr).toStartWith("Error reading: p: Error making API request.");
  });

  test("write sends its data, and says so to people only", async () => {
    const args = ["write", "database/config/app", "a=1", "pass=@f"];
    const scene = { files: { f: "x\n" }, answers: [empty] };
    const ran = await sent(args, scene);
    expect(ran.requests).toEqual([
      { method: "PUT", path: "database/config/app", body: { a: "1", pass: "x\n" } },
    ]);
    expect(ran.stdout).toBe("Success! Data written to: database/config/app\n");
    expect((await sent([...args, "-format=json"], scene)).stdout).toBe("");
  });

  test("write -force sends no data; without it, none is an error", async () => {
    const ran = await sent(["write", "-force", "database/rotate-root/app"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "PUT", path: "database/rotate-root/app", body: null }]);
    const without = await sent(["write", "x"]);
    expect([without.exitCode, without.stderr, without.opened]).toEqual([
      1,
      "Must supply data or use -force\n",
      [],
    ]);
  });

  test("write -field on an empty answer prints the sentence", async () => {
    const ran = await sent(["write", "-f", "-field=x", "p"], { answers: [empty] });
    expect([ran.exitCode, ran.stdout]).toEqual([0, "Success! Data written to: p\n"]);
  });

  test("write shows data that comes with a refusal", async () => {
    const answers = [{ status: 400, body: { errors: ["no"], data: { hint: "x" } } }];
    const ran = await sent(["write", "p", "a=1"], { answers });
    expect([ran.exitCode, ran.stdout]).toEqual([2, "Key     Value\n---     -----\nhint    x\n"]);
    expect(ran.stderr).toStartWith("Error writing data to p: ");
  });

  test("patch is write with its own verb", async () => {
    const ran = await sent(["patch", "p", "a=1"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "PATCH", path: "p", body: { a: "1" } }]);
    expect(ran.stdout).toBe("Success! Data written to: p\n");
  });

  test("delete sends pairs as parameters, and names them differently when they are malformed", async () => {
    const ran = await sent(["delete", "p", "a=1"], { answers: [empty] });
    expect(ran.requests).toEqual([{ method: "DELETE", path: "p", query: { a: "1" } }]);
    expect(ran.stdout).toBe("Success! Data deleted (if it existed) at: p\n");
    const bad = await sent(["delete", "p", "a"]);
    expect([bad.exitCode, bad.stderr]).toEqual([
      1,
      'Failed to parse string list data: invalid key/value pair "a": format must be key=value\n',
    ]);
  });

  test("list prints the keys, and its URL has the parameter of a list", async () => {
    const ran = await sent(["list", "database/roles"], {
      answers: [envelope({ data: { keys: ["b", "a"] } })],
    });
    expect(ran.requests).toEqual([{ method: "LIST", path: "database/roles" }]);
    expect(ran.stdout).toBe("Keys\n----\na\nb\n");
    const bad = await sent(["list", "p"], { answers: [denied] });
    expect(bad.stderr).toContain(
      "Error listing p: Error making API request.\n\nURL: GET vsec://local/v1/p?list=true\n",
    );
  });

  test("an empty list is exit 2: a sentence for people, an empty object for programs", async () => {
    const people = await sent(["list", "p"], { answers: [nothing] });
    expect([people.exitCode, people.stdout, people.stderr]).toEqual([2, "", "No value found at p\n"]);
    const programs = await sent(["list", "-format=json", "p"], { answers: [nothing] });
    expect([programs.exitCode, programs.stdout, programs.stderr]).toEqual([2, "{}\n", ""]);
    const keyless = await sent(["list", "p"], { answers: [envelope({ data: { x: 1 } })] });
    expect([keyless.exitCode, keyless.stderr]).toEqual([2, "No entries found at p\n"]);
  });

  test("-wrap-ttl is passed on, and comes from the environment too", async () => {
    const answers = [envelope({ data: {} })];
    expect((await sent(["read", "-wrap-ttl=5m", "p"], { answers })).requests[0]?.wrapTtlSeconds).toBe(300);
    const env = { VAULT_WRAP_TTL: "60", VSEC_WRAP_TTL: "90" };
    expect((await sent(["read", "p"], { answers, env })).requests[0]?.wrapTtlSeconds).toBe(90);
    const bad = await sent(["read", "p"], { env: { VAULT_WRAP_TTL: "x" } });
    expect([bad.exitCode, bad.stderr]).toEqual([
      2,
      "failed to read environment: could not parse VAULT_WRAP_TTL\n",
    ]);
  });

  test("sys/wrapping/wrap is wrapped for five minutes without being asked", async () => {
    const ran = await sent(["write", "sys/wrapping/wrap", "a=1"], { answers: [empty] });
    expect(ran.requests[0]?.wrapTtlSeconds).toBe(300);
  });

  test("warnings go to standard error before the table, and stay in JSON", async () => {
    const answers = [envelope({ data: { a: 1 }, warnings: ["careful"] })];
    const table = await sent(["read", "p"], { answers });
    expect(table.stderr).toBe("WARNING! The following warnings were returned from vsec:\n\n  * careful\n\n");
    const json = await sent(["read", "-format=json", "p"], { answers });
    expect([json.stderr, JSON.parse(json.stdout).warnings]).toEqual(["", ["careful"]]);
  });
});
