import { describe, expect, test } from "bun:test";
import { clientFor } from "../../src/cli/connect.ts";
import { wrapText } from "../../src/cli/go-text.ts";
import { HiddenLine } from "../../src/cli/prompt.ts";
import { envelope, refused, vsec } from "./fake-world.ts";

const answers = [envelope({ data: { a: "x" } })];

describe("dispatch", () => {
  test.each([["-h"], ["-help"], ["--help"], ["help"]])(
    "%s prints the root usage on standard output",
    async (word) => {
      const ran = await vsec([word]);
      expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
      expect(ran.stdout).toStartWith("Usage: vsec <command> [args]\n\nCommon commands:\n    read ");
      expect(ran.stdout).not.toContain("version");
    },
  );

  test.each([[[]], [["foo"]], [[""]], [["-x"]]])(
    "%j is exit 127 with the root usage on standard error",
    async (args) => {
      const ran = await vsec(args);
      expect([ran.exitCode, ran.stdout]).toEqual([127, ""]);
      expect(ran.stderr).toContain("Usage: vsec <command> [args]\n");
    },
  );

  const mistyped: [string[], number, string][] = [
    [["raed", "p"], 127, 'Did you mean "read"?'],
    [["statsu"], 127, 'Did you mean "status"?'],
    [["lease", "revok"], 1, 'Did you mean "revoke"?'],
    [["secrets", "enabel"], 1, 'Did you mean "enable"?'],
  ];
  test.each(mistyped)("%j gets a suggestion", async (args, exitCode, hint) => {
    const ran = await vsec(args);
    expect([ran.exitCode, ran.stderr.split("\n")[0]]).toEqual([exitCode, hint]);
  });

  test.each([[["lease"]], [["lease", "foo"]], [["print"]]])(
    "%j is the group's help, exit 1",
    async (args) => {
      const ran = await vsec(args);
      expect([ran.exitCode, ran.stdout]).toEqual([1, ""]);
      expect(ran.stderr).toStartWith(`Usage: vsec ${args[0]} <subcommand> [options] [args]\n`);
      expect(ran.stderr).toContain("\nSubcommands:\n    ");
    },
  );

  test("help of a group and of a command is exit 0, and nothing runs", async () => {
    const group = await vsec(["lease", "-h"]);
    expect([group.exitCode, group.stderr]).toEqual([0, ""]);
    for (const args of [
      ["read", "p", "-h"],
      ["help", "read"],
      ["read", "-bogus", "--help"],
    ]) {
      const ran = await vsec(args);
      expect([ran.exitCode, ran.opened, ran.stderr]).toEqual([0, [], ""]);
      expect(ran.stdout).toStartWith("Usage: vsec read [options] PATH [K=V...]\n\n  Reads data at a path.");
    }
  });

  test("flags before the command are refused with the command's help", async () => {
    const ran = await vsec(["-address=x", "read", "p"]);
    expect([ran.exitCode, ran.stdout]).toEqual([1, ""]);
    expect(ran.stderr).toStartWith("Invalid flags before the subcommand. ");
    expect(ran.stderr).toContain("\n\nUsage: vsec read ");
  });

  test("version and print token ignore their arguments", async () => {
    expect((await vsec(["version", "-x", "y"])).stdout).toStartWith("vsec v");
    expect((await vsec(["print", "token", "-x"])).exitCode).toBe(0);
  });
});

describe("formats", () => {
  const cases: [string[], Record<string, string>, string][] = [
    [["read", "-format=xml", "p"], {}, "Invalid output format: xml\n"],
    [["read", "p"], { VAULT_FORMAT: "xml" }, "Invalid output format: xml\n"],
    [["list", "-format=raw", "p"], {}, "This command does not support the -format=raw option.\n"],
    [
      ["read", "-format=pretty", "p"],
      {},
      "Could not parse output: cannot use the pretty formatter for this type\n",
    ],
  ];
  test.each(cases)("%j with %j is refused before anything runs", async (args, env, message) => {
    const ran = await vsec(args, { env });
    expect([ran.exitCode, ran.stderr, ran.opened]).toEqual([1, message, []]);
  });

  test("the flag beats our variable, and that beats Vault's", async () => {
    const env = { VSEC_FORMAT: "YAML", VAULT_FORMAT: "raw" };
    expect((await vsec(["read", "-field=a", "-format=table", "p"], { answers, env })).stdout).toBe("x");
    expect((await vsec(["read", "p"], { answers, env })).stdout).toStartWith("data:\n  a: x\n");
  });

  test("a variable does not make an error on commands without -format", async () => {
    const ran = await vsec(["secrets", "disable", "x"], { answers, env: { VAULT_FORMAT: "json" } });
    expect([ran.exitCode, ran.stdout]).toEqual([
      0,
      "Success! Disabled the secrets engine (if it existed) at: x/\n",
    ]);
  });

  test("a field ends with a newline on a terminal, unless plain text is asked for", async () => {
    const args = ["read", "-field=a", "p"];
    const scene = { answers, stdoutIsTTY: true };
    expect((await vsec(args, { answers })).stdout).toBe("x");
    expect((await vsec(args, scene)).stdout).toBe("x\n");
    expect((await vsec(args, { ...scene, env: { NO_COLOR: "1" } })).stdout).toBe("x");
    expect((await vsec(args, { ...scene, env: { TERM: "dumb" } })).stdout).toBe("x");
  });

  test("a missing field is exit 1", async () => {
    const ran = await vsec(["read", "-field=b", "p"], { answers });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([1, "", 'Field "b" not present in secret\n']);
  });
});

describe("colour", () => {
  const failing = { answers: [refused(400, "no")], stdoutIsTTY: true, stderrIsTTY: true };
  test("errors are bright red on a terminal only", async () => {
    expect((await vsec(["read", "p"], failing)).stderr).toStartWith("\u001b[91mError reading p");
    for (const env of [
      { NO_COLOR: "1" },
      { VAULT_CLI_NO_COLOR: "1" },
      { TERM: "dumb" },
      { VSEC_FORMAT: "json" },
    ]) {
      expect((await vsec(["read", "p"], { ...failing, env })).stderr).not.toContain("\u001b");
    }
    expect((await vsec(["read", "p"], { ...failing, stdoutIsTTY: false })).stderr).not.toContain("\u001b");
    expect((await vsec(["read", "p"], { ...failing, stderrIsTTY: false })).stderr).not.toContain("\u001b");
  });
});

describe("instead of sending", () => {
  test("-output-curl-string prints a command with no token in it", async () => {
    const args = ["write", "-output-curl-string", "-wrap-ttl=1m", "-header=X-A=b", "p/q", "a=it's"];
    const ran = await vsec(args, { env: { VSEC_TOKEN: "hvs.secret" } });
    expect([ran.exitCode, ran.requests, ran.opened]).toEqual([0, [], []]);
    expect(ran.stderr).toContain("start one with: vsec daemon");
    expect(ran.stdout).toMatch(/^curl --unix-socket '\/\S+\/daemon.sock' -X PUT /);
    expect(ran.stdout).toEndWith(
      ` -X PUT -H "X-Vault-Request: true" -H "X-Vault-Token: $(vsec print token)" -H "X-Vault-Wrap-TTL: 1m0s" -H 'X-A: b' -d '{"a":"it'"'"'s"}' 'http://localhost/v1/p/q'\n`,
    );
  });

  test("with an address, the command is for that address, and no store is opened", async () => {
    const ran = await vsec(["list", "-output-curl-string", "-address=http://h:8200/", "p"]);
    expect(ran.stdout).toEndWith(" 'http://h:8200/v1/p?list=true'\n");
    expect([ran.opened, ran.stderr]).toEqual([[], ""]);
    const socket = await vsec(["read", "-output-curl-string", "-address=unix:///run/v.sock", "a b"]);
    expect(socket.stdout).toStartWith("curl --unix-socket '/run/v.sock' -H ");
    expect(socket.stdout).toEndWith(" 'http://localhost/v1/a%20b'\n");
    const tls = ["-ca-cert=ca.pem", "-client-cert=c.pem", "-client-key=k.pem", "-tls-skip-verify"];
    const secure = await vsec(["read", "-output-curl-string", "-address=https://h:8200", ...tls, "p"]);
    expect(secure.stdout).toStartWith("curl --insecure --cacert 'ca.pem' --cert 'c.pem' --key 'k.pem' -H ");
  });

  test("-output-policy prints the policy, with sudo where it is needed", async () => {
    const policy = async (...args: string[]) => (await vsec([...args, "-output-policy"])).stdout;
    expect(await policy("write", "secret/foo", "a=b")).toBe(
      'path "secret/foo" {\n  capabilities = ["create", "update"]\n}\n',
    );
    expect(await policy("lease", "revoke", "-prefix", "a")).toContain('["create", "update", "sudo"]');
    expect(await policy("list", "a")).toContain('["list"]');
  });

  test("a command that sends nothing cannot", async () => {
    const ran = await vsec(["login", "-token-only", "-output-curl-string", "token=x", "lookup=false"]);
    expect([ran.exitCode, ran.stderr]).toEqual([1, "Could not generate cURL command\n"]);
  });
});

describe("the way to the API", () => {
  test("store and address come from flags, then the environment; VAULT_ADDR is nobody's", async () => {
    const env = { VSEC_ADDR: "http://a", VSEC_STORE: "/s", VAULT_ADDR: "http://vault" };
    expect((await vsec(["read", "p"], { answers, env })).opened).toEqual([
      { address: "http://a", storeDir: "/s" },
    ]);
    expect((await vsec(["read", "-store=/t", "p"], { answers, env: { VAULT_ADDR: "x" } })).opened).toEqual([
      { storeDir: "/t" },
    ]);
  });

  test("what is no address is refused clearly", async () => {
    await expect(clientFor({ address: "ftp://h" }, {})).rejects.toEqual(
      expect.objectContaining({
        code: "UNREACHABLE",
        message:
          '"ftp://h" is not an address; addresses are like https://host:8200, http://127.0.0.1:8200 or unix:///path/to/socket',
      }),
    );
  });

  test("headers of Vault's own are refused", async () => {
    const ran = await vsec(["read", "-header=X-Vault-Foo=1", "p"]);
    expect([ran.exitCode, ran.stderr]).toEqual([
      2,
      "failed to setup Headers[X-Vault-Foo]: Header starting by 'X-Vault-' are for internal usage only\n",
    ]);
  });

  test("the client is closed after an error too", async () => {
    expect((await vsec(["read", "p"], { answers: [refused(500, "x")] })).closed).toBe(1);
  });

  test("an unexpected failure is one sentence without its text; the place is shown when asked for", async () => {
    const secret = new TypeError("password is hunter2");
    const ran = await vsec(["read", "p"], { answers: [secret] });
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toMatch(/^vsec failed unexpectedly \(TypeError\); .*\n$/);
    expect(ran.stderr).not.toContain("hunter2");
    const debug = await vsec(["read", "p"], { answers: [secret], env: { VSEC_DEBUG: "1" } });
    expect(debug.stderr).toContain("run.test.ts");
  });

  test("a reader that goes away is success", async () => {
    const ran = await vsec(["list", "p"], {
      answers: [envelope({ data: { keys: ["a"] } })],
      brokenPipe: true,
    });
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
  });
});

test("a hidden line knows the keys that edit and end it", () => {
  const type = (text: string) => {
    const line = new HiddenLine();
    return [line.type(text), line.text];
  };
  expect(type("abc")).toEqual(["more", "abc"]);
  expect(type("ab\u007f\u007f\u007fc\rrest")).toEqual(["done", "c"]);
  expect(type("a\u0004")).toEqual(["done", "a"]);
  expect(type("a\u0003")).toEqual(["interrupted", "a"]);
  expect(type("😀\b!\n")).toEqual(["done", "!"]);
});

test("text is folded at blanks, and long words stay whole", () => {
  expect(wrapText("aa bb cc", 0, 5)).toBe("aa bb\ncc");
  expect(wrapText("aaaaaaa b", 2, 6)).toBe("  aaaaaaa\n  b");
  expect(wrapText("a\n\nb", 1)).toBe(" a\n\n b");
});
