import { describe, expect, test } from "bun:test";
import { AUTH, denied, empty, envelope, refused, sent, vsec } from "./fake-world.ts";

const created = envelope({ auth: { ...AUTH, num_uses: 0, token_type: "service" } });
const wrapped = envelope({
  wrap_info: {
    token: "hvs.wrap",
    accessor: "7Q2",
    ttl: 60,
    creation_time: "2024-05-01T10:00:00.1Z",
    creation_path: "auth/token/create",
    wrapped_accessor: "acc",
  },
});

describe("token create", () => {
  const defaults = {
    ttl: "0s",
    explicit_max_ttl: "0s",
    period: "0s",
    display_name: "",
    num_uses: 0,
    renewable: true,
    type: "service",
    entity_alias: "",
  };

  test("without flags asks for a child with the defaults, and shows its table", async () => {
    const ran = await sent(["token", "create"], { answers: [created] });
    expect(ran.requests).toEqual([{ method: "POST", path: "auth/token/create", body: defaults }]);
    expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout).toBe(`Key                  Value
---                  -----
token                hvs.new
token_accessor       acc
token_duration       1h
token_renewable      true
token_policies       ["apps" "default"]
identity_policies    []
policies             ["apps" "default"]
token_meta_team      a
`);
  });

  test("passes on every flag", async () => {
    const args =
      "-id=mine -display-name=ci -ttl=1h -explicit-max-ttl 1d -period=90s -renewable=false -orphan -no-default-policy -use-limit=3 -metadata=team=a -metadata b=c=d -policy=apps -policy x,y -entity-alias=e -role=ci";
    const ran = await sent(["token", "create", ...args.split(" ")], { answers: [created] });
    expect(ran.requests).toEqual([
      {
        method: "POST",
        path: "auth/token/create/ci",
        body: {
          id: "mine",
          policies: ["apps", "x,y"],
          meta: { team: "a", b: "c=d" },
          ttl: "1h0m0s",
          explicit_max_ttl: "24h0m0s",
          period: "1m30s",
          no_parent: true,
          no_default_policy: true,
          display_name: "ci",
          num_uses: 3,
          renewable: false,
          type: "service",
          entity_alias: "e",
        },
      },
    ]);
  });

  test("a batch token is not renewable", async () => {
    const ran = await sent(["token", "create", "-type=batch"], { answers: [created] });
    expect(ran.requests[0]?.body).toEqual({ ...defaults, type: "batch", renewable: false });
  });

  test("-field knows the names of the table, with durations in seconds", async () => {
    const field = async (name: string) =>
      (await sent(["token", "create", `-field=${name}`], { answers: [created] })).stdout;
    expect(await field("token")).toBe("hvs.new");
    expect(await field("token_duration")).toBe("3600");
    expect(await field("token_policies")).toBe('["apps" "default"]');
    expect(await field("identity_policies")).toBe("[]");
    const missing = await sent(["token", "create", "-field=lease_id"], { answers: [created] });
    expect([missing.exitCode, missing.stderr]).toEqual([1, 'Field "lease_id" not present in secret\n']);
  });

  test("JSON has the token's keys in Vault's order", async () => {
    const ran = await sent(["token", "create", "-format=json"], { answers: [created] });
    const parsed = JSON.parse(ran.stdout);
    expect(Object.keys(parsed).join(" ")).toBe(
      "request_id lease_id lease_duration renewable data warnings auth",
    );
    expect(JSON.stringify(parsed.auth)).toBe(JSON.stringify(AUTH));
  });

  test("can be wrapped, and then shows the wrapping token", async () => {
    const ran = await sent(["token", "create", "-wrap-ttl=60"], { answers: [wrapped] });
    expect(ran.requests[0]?.wrapTtlSeconds).toBe(60);
    expect(ran.stdout).toBe(`Key                              Value
---                              -----
wrapping_token:                  hvs.wrap
wrapping_accessor:               7Q2
wrapping_token_ttl:              1m
wrapping_token_creation_time:    2024-05-01 10:00:00.1 +0000 UTC
wrapping_token_creation_path:    auth/token/create
wrapped_accessor:                acc
`);
  });

  test("warnings and refusals", async () => {
    const answers = [envelope({ auth: AUTH, warnings: ["capped"] })];
    expect((await sent(["token", "create"], { answers })).stderr).toContain("\n\n  * capped\n\n");
    const unknown = await sent(["token", "create", "-role=nope"], {
      answers: [refused(400, "unknown role nope")],
    });
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toBe(
      "Error creating token: Error making API request.\n\nURL: POST vsec://local/v1/auth/token/create/nope\nCode: 400. Errors:\n\n* unknown role nope\n",
    );
    const extra = await sent(["token", "create", "x"]);
    expect([extra.exitCode, extra.stderr]).toEqual([1, "Too many arguments (expected 0, got 1)\n"]);
    const number = await sent(["token", "create", "-use-limit=x"]);
    expect([number.exitCode, number.stderr.split(":")[0]]).toEqual([
      1,
      'invalid value "x" for flag -use-limit',
    ]);
  });
});

describe("token lookup", () => {
  const root = envelope({
    data: {
      id: "hvs.root",
      accessor: "acc",
      creation_time: 1714557600,
      creation_ttl: 0,
      display_name: "root",
      entity_id: "",
      expire_time: null,
      explicit_max_ttl: 0,
      meta: null,
      num_uses: 0,
      orphan: true,
      path: "auth/token/root",
      policies: ["root"],
      ttl: 0,
      type: "service",
    },
  });

  test("shows a token's rows sorted", async () => {
    const ran = await sent(["token", "lookup"], { answers: [root] });
    expect(ran.requests).toEqual([{ method: "GET", path: "auth/token/lookup-self" }]);
    expect(ran.stdout).toBe(`Key                 Value
---                 -----
accessor            acc
creation_time       1714557600
creation_ttl        0s
display_name        root
entity_id           n/a
expire_time         <nil>
explicit_max_ttl    0s
id                  hvs.root
meta                <nil>
num_uses            0
orphan              true
path                auth/token/root
policies            [root]
ttl                 0s
type                service
`);
  });

  const forms: [string[], string, object][] = [
    [["hvs.a"], "auth/token/lookup", { token: "hvs.a" }],
    [["-"], "auth/token/lookup", { token: "hvs.stdin" }],
    [["-accessor", "acc"], "auth/token/lookup-accessor", { accessor: "acc" }],
    [["acc", "-accessor"], "auth/token/lookup-accessor", { accessor: "acc" }],
  ];
  test.each(forms)("%j", async (args, path, body) => {
    const ran = await sent(["token", "lookup", ...args], { answers: [root], stdin: "hvs.stdin\n" });
    expect(ran.requests).toEqual([{ method: "POST", path, body: body as never }]);
  });

  test("an empty argument is as good as none", async () => {
    const ran = await sent(["token", "lookup", ""], { answers: [root] });
    expect(ran.requests[0]?.path).toBe("auth/token/lookup-self");
  });

  test("its own errors", async () => {
    const stderr = async (...args: string[]) => {
      const ran = await sent(["token", "lookup", ...args]);
      expect([ran.exitCode, ran.requests]).toEqual([1, []]);
      return ran.stderr;
    };
    expect(await stderr("-accessor")).toBe("Not enough arguments with -accessor (expected 1, got 0)\n");
    expect(await stderr("-accessor", "a", "b")).toBe(
      "Too many arguments with -accessor (expected 1, got 2)\n",
    );
    expect(await stderr("a", "b")).toBe("Too many arguments (expected 0-1, got 2)\n");
    const bad = await sent(["token", "lookup", "x"], { answers: [refused(403, "bad token")] });
    expect(bad.exitCode).toBe(2);
    expect(bad.stderr).toStartWith("Error looking up token: Error making API request.");
    expect(bad.stderr).toEndWith("Code: 403. Errors:\n\n* bad token\n");
  });
});

describe("token renew", () => {
  const forms: [string[], "PUT" | "POST", string, object][] = [
    [[], "PUT", "renew-self", { increment: 0 }],
    [["-increment=1h"], "PUT", "renew-self", { increment: 3600 }],
    [["-i", "90s", "hvs.a"], "PUT", "renew", { token: "hvs.a", increment: 90 }],
    [["-accessor", "-i=1m", "acc"], "POST", "renew-accessor", { accessor: "acc", increment: 60 }],
  ];
  test.each(forms)("%j", async (args, method, path, body) => {
    const ran = await sent(["token", "renew", ...args], { answers: [created] });
    expect(ran.requests).toEqual([{ method, path: `auth/token/${path}`, body: body as never }]);
    expect(ran.stdout).toContain("token_duration       1h\n");
  });

  test("its own errors", async () => {
    const unknown = await sent(["token", "renew", "x"], { answers: [refused(400, "token not found")] });
    expect([unknown.exitCode, unknown.stderr.split(":")[0]]).toEqual([2, "Error renewing token"]);
    const many = await sent(["token", "renew", "a", "b"]);
    expect([many.exitCode, many.stderr]).toEqual([1, "Too many arguments (expected 0-1, got 2)\n"]);
    const none = await sent(["token", "renew", "-accessor"]);
    expect(none.stderr).toBe("Not enough arguments with -accessor (expected 1, got 0)\n");
    const field = await sent(["token", "renew", "-field=token"]);
    expect(field.stderr).toBe("flag provided but not defined: -field\n");
  });
});

describe("token revoke", () => {
  const forms: [string[], "PUT" | "POST", string, object | undefined][] = [
    [["hvs.a"], "PUT", "auth/token/revoke", { token: "hvs.a" }],
    [["-mode=orphan", "hvs.a"], "PUT", "auth/token/revoke-orphan", { token: "hvs.a" }],
    [["-mode=path", "/auth/ci/"], "PUT", "sys/leases/revoke-prefix/auth/ci", undefined],
    [["-accessor", "acc"], "POST", "auth/token/revoke-accessor", { accessor: "acc" }],
    [["-self"], "PUT", "auth/token/revoke-self", undefined],
  ];
  test.each(forms)("%j", async (args, method, path, body) => {
    const ran = await sent(["token", "revoke", ...args], { answers: [empty] });
    expect(ran.requests).toEqual([{ method, path, ...(body === undefined ? {} : { body: body as never }) }]);
    expect([ran.exitCode, ran.stdout]).toEqual([0, "Success! Revoked token (if it existed)\n"]);
  });

  const refusals: [string[], string][] = [
    [["-mode=x", "a"], "Invalid mode: x"],
    [["-self", "a"], "Too many arguments with -self (expected 0, got 1)"],
    [["a", "b"], "Too many arguments (expected 1 or -self, got 2)"],
    [[], "Not enough arguments (expected 1 or -self, got 0)"],
    [["-self", "-accessor"], "Cannot use -self with -accessor!"],
    [["-self", "-mode=path"], "Cannot use -self with -mode!"],
    [["-accessor", "-mode=orphan", "a"], "Cannot use -accessor with -mode=orphan!"],
    [["-accessor", "-mode=path", "a"], "Cannot use -accessor with -mode=path!"],
  ];
  test.each(refusals)("%j is refused before anything is sent", async (args, text) => {
    const ran = await sent(["token", "revoke", ...args]);
    expect([ran.exitCode, ran.stdout, ran.stderr, ran.requests]).toEqual([1, "", `${text}\n`, []]);
  });

  test("a refusal of the API is exit 2, and there is no -format", async () => {
    const ran = await sent(["token", "revoke", "a"], { answers: [denied] });
    expect([ran.exitCode, ran.stdout, ran.stderr.split(":")[0]]).toEqual([2, "", "Error revoking token"]);
    expect((await sent(["token", "revoke", "-format=json", "a"])).exitCode).toBe(1);
  });
});

describe("token capabilities", () => {
  const answers = [
    envelope({ data: { capabilities: ["update", "read", "create"], "a/b": ["update", "read", "create"] } }),
  ];

  const forms: [string[], string, object][] = [
    [["a/b"], "sys/capabilities-self", { path: "a/b" }],
    [["hvs.a", "a/b"], "sys/capabilities", { token: "hvs.a", path: "a/b" }],
    [["-accessor", "acc", "a/b"], "sys/capabilities-accessor", { accessor: "acc", path: "a/b" }],
  ];
  test.each(forms)("%j", async (args, path, body) => {
    const ran = await sent(["token", "capabilities", ...args], { answers });
    expect(ran.requests).toEqual([{ method: "POST", path, body: body as never }]);
    expect(ran.stdout).toBe("create, read, update\n");
  });

  test("JSON is the list in the API's order", async () => {
    const ran = await sent(["token", "capabilities", "-format=json", "a/b"], { answers });
    expect(ran.stdout).toBe('[\n  "update",\n  "read",\n  "create"\n]\n');
  });

  test("an answer that names only the path is understood", async () => {
    const ran = await sent(["token", "capabilities", "p"], {
      answers: [envelope({ data: { p: ["deny"] } })],
    });
    expect(ran.stdout).toBe("deny\n");
  });

  test("its own errors", async () => {
    const run = async (args: string[], scene = {}) => {
      const { exitCode, stderr } = await sent(["token", "capabilities", ...args], scene);
      return [exitCode, stderr.split(": ")[0]];
    };
    expect(await run([])).toEqual([1, "Not enough arguments (expected 1-2, got 0)\n"]);
    expect(await run(["a", "b", "c"])).toEqual([1, "Too many arguments (expected 1-2, got 3)\n"]);
    expect(await run(["-accessor", "a"])).toEqual([
      1,
      "Not enough arguments with -accessor (expected 2, got 1)\n",
    ]);
    expect(await run(["p"], { answers: [envelope({ data: {} })] })).toEqual([1, "No capabilities found\n"]);
    expect(await run(["p"], { answers: [denied] })).toEqual([2, "Error listing capabilities"]);
  });
});

describe("unwrap", () => {
  const secret = envelope({ data: { password: "p" } });
  const PATH = "sys/wrapping/unwrap";

  test("a wrapping token authenticates itself where there is no other", async () => {
    const ran = await vsec(["unwrap", "hvs.wrap"], { answers: [secret] });
    expect(ran.requests).toEqual([{ method: "PUT", path: PATH, token: "hvs.wrap" }]);
    expect(ran.stdout).toBe("Key         Value\n---         -----\npassword    p\n");
  });

  test("it goes beside the token in use, and is that one without an argument", async () => {
    const ask = async (...args: string[]) =>
      (await sent(["unwrap", ...args], { answers: [secret], stdin: "hvs.wrap\n" })).requests;
    expect(await ask("hvs.wrap")).toEqual([{ method: "PUT", path: PATH, body: { token: "hvs.wrap" } }]);
    expect(await ask("-")).toEqual([{ method: "PUT", path: PATH, body: { token: "hvs.wrap" } }]);
    expect(await ask()).toEqual([{ method: "PUT", path: PATH }]);
    expect(await ask("hvs.test")).toEqual([{ method: "PUT", path: PATH }]);
  });

  test("shows what was wrapped: keys, a token, a field, the whole, or nothing", async () => {
    const show = async (answer: typeof empty, ...args: string[]) =>
      (await sent(["unwrap", ...args, "w"], { answers: [answer] })).stdout;
    const keys = envelope({ data: { keys: ["b", "a"] } });
    expect(await show(keys)).toBe("Keys\n----\na\nb\n");
    expect(await show(keys, "-format=json")).toBe('[\n  "b",\n  "a"\n]\n');
    expect(await show(keys, "-field=keys")).toBe("[b a]");
    expect(await show(created)).toContain('token_policies       ["apps" "default"]\n');
    expect(await show(secret, "-field=password")).toBe("p");
    expect(JSON.parse(await show(secret, "-format=json")).data).toEqual({ password: "p" });
    expect(await show(empty)).toBe("Successfully unwrapped. There was no data in the wrapped secret.\n");
    expect(await show(empty, "-format=json")).toBe("");
  });

  test("a used token is refused, exit 2", async () => {
    const text = "wrapping token is not valid or does not exist";
    const ran = await sent(["unwrap", "w"], { answers: [refused(400, text)] });
    expect([ran.exitCode, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toBe(
      `Error unwrapping: Error making API request.\n\nURL: PUT vsec://local/v1/sys/wrapping/unwrap\nCode: 400. Errors:\n\n* ${text}\n`,
    );
    const many = await sent(["unwrap", "a", "b"]);
    expect([many.exitCode, many.stderr]).toEqual([1, "Too many arguments (expected 0-1, got 2)\n"]);
  });
});

describe("wrapped answers", () => {
  const data: string[][] = [
    ["read", "p"],
    ["write", "p", "a=1"],
    ["patch", "p", "a=1"],
    ["delete", "p"],
    ["list", "p"],
    ["token", "lookup"],
    ["token", "renew"],
    ["lease", "lookup", "a"],
    ["lease", "renew", "a"],
  ];
  test.each(data.map((args) => [args]))("%j asks for it and shows it", async (args) => {
    const ran = await sent([...args, "-wrap-ttl=1m"], { answers: [wrapped] });
    expect([ran.exitCode, ran.requests[0]?.wrapTtlSeconds]).toEqual([0, 60]);
    expect(ran.stdout).toStartWith(
      "Key                              Value\n---                              -----\nwrapping_token:                  hvs.wrap\n",
    );
    const json = await sent([...args, "-wrap-ttl=1m", "-format=json"], { answers: [wrapped] });
    expect(Object.keys(JSON.parse(json.stdout).wrap_info).join(" ")).toBe(
      "token accessor ttl creation_time creation_path wrapped_accessor",
    );
  });

  test("-field knows the wrapping token's names", async () => {
    const field = async (name: string) =>
      (await sent(["read", "p", "-wrap-ttl=60", `-field=${name}`], { answers: [wrapped] })).stdout;
    expect(await field("wrapping_token")).toBe("hvs.wrap");
    expect(await field("wrapping_accessor")).toBe("7Q2");
    expect(await field("wrapping_token_ttl")).toBe("60");
    expect(await field("wrapping_token_creation_time")).toBe("2024-05-01T10:00:00.1Z");
    expect(await field("wrapping_token_creation_path")).toBe("auth/token/create");
    expect(await field("wrapped_accessor")).toBe("acc");
  });
});
