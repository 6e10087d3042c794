import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiResponse } from "../../src/contract/wire.ts";
import { AUTH, denied, empty, envelope, refused, temporaryHome, vsec } from "./fake-world.ts";

const loggedIn = envelope({ auth: AUTH });
const wrapped = envelope({ wrap_info: { token: "hvs.wrap", accessor: "a", ttl: 60 } });

/** Logs in from a home of its own, where `hvs.old` is remembered; tells what is remembered afterwards. */
async function login(args: readonly string[], scene: Parameters<typeof vsec>[1] = {}) {
  using home = temporaryHome();
  const ran = await vsec(["login", ...args], {
    answers: [loggedIn],
    ...scene,
    env: { HOME: home.path, ...scene?.env },
  });
  const file = join(home.path, ".vsec-token");
  return { ...ran, stored: existsSync(file) ? readFileSync(file, "utf8") : null };
}

describe("login by a method", () => {
  const userpass = ["-method=userpass", "username=ada"];

  const forms: [string, readonly string[], object, string, object][] = [
    ["userpass", [...userpass, "password=p "], {}, "auth/userpass/login/ada", { password: "p " }],
    ["a typed password", userpass, { typed: "p" }, "auth/userpass/login/ada", { password: "p" }],
    [
      "another mount",
      ["-path=/staff/", ...userpass, "password=p"],
      {},
      "auth/staff/login/ada",
      { password: "p" },
    ],
    [
      "the mount as a setting",
      ["-path=x", ...userpass, "password=p", "mount=staff"],
      {},
      "auth/staff/login/ada",
      { password: "p" },
    ],
    [
      "approle, with the secret id in a file",
      ["-method=approle", "role_id=r", "secret_id=@f"],
      { files: { f: "s\n" } },
      "auth/approle/login",
      { role_id: "r", secret_id: "s" },
    ],
    [
      "approle without a secret id",
      ["-method=AppRole", "role_id=r"],
      {},
      "auth/approle/login",
      { role_id: "r" },
    ],
    [
      "jwt, from standard input",
      ["-method=jwt", "role=ci", "jwt=-"],
      { stdin: "e30.e30.x\n" },
      "auth/jwt/login",
      { role: "ci", jwt: "e30.e30.x" },
    ],
    [
      "jwt, from a file, by the default role",
      ["-method", "jwt", "-path", "gitlab", "jwt=@f"],
      { files: { f: "e30.e30.x\n" } },
      "auth/gitlab/login",
      { jwt: "e30.e30.x" },
    ],
  ];
  test.each(forms)("%s", async (_name, args, scene, path, body) => {
    const ran = await login(args, { ...scene, env: { VSEC_TOKEN_PATH: "" } });
    expect(ran.requests).toEqual([{ method: "PUT", path, body: body as never }]);
    expect([ran.exitCode, ran.stderr, ran.stored]).toEqual([0, "", "hvs.new"]);
  });

  test("asks for the password on the terminal, and only there", async () => {
    expect((await login(userpass, { typed: "p" })).prompts).toEqual(["Password (will be hidden): "]);
    for (const args of [userpass, ["-non-interactive", ...userpass]]) {
      const ran = await login(args, args === userpass ? {} : { typed: "p" });
      expect([ran.exitCode, ran.requests, ran.stored]).toEqual([2, [], null]);
      expect(ran.stderr).toBe(
        "Error authenticating: 'password' must be specified where there is no terminal to ask for it on\n",
      );
    }
  });

  test("takes no token along, not even a set one", async () => {
    const ran = await login([...userpass, "password=p"], { env: { VSEC_TOKEN: "hvs.old" } });
    expect(ran.requests[0]?.token).toBeUndefined();
    expect(ran.stderr).toStartWith("WARNING! The VSEC_TOKEN environment variable is set!");
  });

  test("says that it worked, then shows the token", async () => {
    const ran = await login([...userpass, "password=p"]);
    const [success, table] = ran.stdout.split("\n\n");
    expect(success).toStartWith("Success! You are now authenticated. ");
    expect(table).toBe(`Key                  Value
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

  test("JSON is the object alone", async () => {
    const ran = await login([...userpass, "password=p", "-format=json"]);
    expect([JSON.parse(ran.stdout).auth, ran.stderr, ran.stored]).toEqual([AUTH, "", "hvs.new"]);
  });

  test("-field prints one field and still stores; -token-only does not store", async () => {
    const field = await login([...userpass, "password=p", "-field=token"]);
    expect([field.stdout, field.stderr, field.stored]).toEqual(["hvs.new", "", "hvs.new"]);
    const only = await login([...userpass, "password=p", "-token-only"], { stdoutIsTTY: true });
    expect([only.stdout, only.stderr, only.stored]).toEqual(["hvs.new\n", "", null]);
  });

  test("-no-store warns on standard error, -no-print prints nothing", async () => {
    const apart = await login([...userpass, "password=p", "-no-store"]);
    expect(apart.stdout).toStartWith("Key ");
    expect(apart.stderr).toStartWith("The token was not stored in token helper. ");
    expect([apart.stderr.includes("VSEC_TOKEN"), apart.stored]).toEqual([true, null]);
    const silent = await login([...userpass, "password=p", "-no-print"]);
    expect([silent.stdout, silent.stderr, silent.stored]).toEqual(["", "", "hvs.new"]);
  });

  test("warnings of the API are shown", async () => {
    const answers = [envelope({ auth: AUTH, warnings: ["ignored: x"] })];
    const ran = await login([...userpass, "password=p", "x=1"], { answers });
    expect(ran.requests[0]?.body).toEqual({ x: "1", password: "p" });
    expect(ran.stderr).toContain("  * ignored: x\n");
  });

  const refusals: [readonly string[], number, string][] = [
    [["-method=userpass", "password=p"], 2, "Error authenticating: 'username' must be specified"],
    [["-method=approle", "secret_id=s"], 2, "Error authenticating: 'role_id' must be specified"],
    [["-method=jwt", "role=ci"], 2, "Error authenticating: 'jwt' must be specified"],
    [["-method=jwt", "jwt= "], 2, "Error authenticating: 'jwt' must be specified"],
    [["token="], 2, "Error authenticating: 'token' must be specified"],
    [
      ["lookup=x", "t"],
      2,
      'Error authenticating: Failed to parse "lookup" as boolean: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      ["-method=approle", "x"],
      1,
      'Error parsing configuration: invalid key/value pair "x": format must be key=value',
    ],
    [
      ["-method=approle", "role_id=a", "role_id=b"],
      1,
      'Error parsing configuration: failed to convert values to strings: "role_id" has to be one string',
    ],
  ];
  test.each(refusals)("%j is refused before anything is sent", async (args, exitCode, text) => {
    const ran = await login(args);
    expect([ran.exitCode, ran.stdout, ran.stderr, ran.requests]).toEqual([exitCode, "", `${text}\n`, []]);
  });

  test("a refusal of the API stores nothing and shows nothing", async () => {
    const ran = await login([...userpass, "password=p"], { answers: [denied] });
    expect([ran.exitCode, ran.stdout, ran.stored]).toEqual([2, "", null]);
    expect(ran.stderr).toStartWith(
      "Error authenticating: Error making API request.\n\nURL: PUT vsec://local/v1/auth/userpass/login/ada\nCode: 403. Errors:\n\n",
    );
    const hollow = await login([...userpass, "password=p"], { answers: [empty] });
    expect([hollow.exitCode, hollow.stderr, hollow.stored]).toEqual([
      2,
      "Error authenticating: the answer to the login holds no token\n",
      null,
    ]);
  });

  test("a token that cannot be stored is shown nevertheless, exit 2", async () => {
    const ran = await login([...userpass, "password=p"], { env: { VSEC_TOKEN_PATH: "/dev/null/none" } });
    expect([ran.exitCode, ran.stderr.split(":")[0]]).toEqual([2, "Error storing token"]);
    expect(ran.stdout).toContain("token                hvs.new\n");
  });

  test("the curl command can be shown instead", async () => {
    const ran = await login(["-method=jwt", "-output-curl-string", "jwt=x"]);
    expect([ran.exitCode, ran.requests, ran.stored]).toEqual([0, [], null]);
    expect(ran.stdout).toContain("/v1/auth/jwt/login");
  });
});

describe("a login with -wrap-ttl", () => {
  const args = ["-method=jwt", "-wrap-ttl=60s", "jwt=x"];
  const answers = (...after: readonly ApiResponse[]) => ({ answers: [wrapped, ...after] });

  test("is unwrapped with the wrapping token itself, and stored", async () => {
    const ran = await login(args, answers(loggedIn));
    expect(ran.requests).toEqual([
      { method: "PUT", path: "auth/jwt/login", body: { jwt: "x" }, wrapTtlSeconds: 60 },
      { method: "PUT", path: "sys/wrapping/unwrap", token: "hvs.wrap" },
    ]);
    expect([ran.exitCode, ran.stored]).toEqual([0, "hvs.new"]);
  });

  test("stays wrapped with -token-only and with -no-store", async () => {
    const only = await login(["-token-only", ...args], answers());
    expect([only.stdout, only.stored, only.requests.length]).toEqual(["hvs.wrap", null, 1]);
    const apart = await login(["-no-store", ...args], answers());
    expect(apart.stdout).toContain("wrapping_token:                  hvs.wrap\n");
    expect([apart.stored, apart.requests.length]).toEqual([null, 1]);
  });

  test("fails when it cannot be unwrapped", async () => {
    const ran = await login(args, answers(refused(400, "wrapping token is not valid or does not exist")));
    expect([ran.exitCode, ran.stdout, ran.stored]).toEqual([2, "", null]);
    expect(ran.stderr).toStartWith("Error extracting token: Error making API request.");
  });

  test("is not unwrapped without end", async () => {
    const endless = Array.from({ length: 10 }, () => wrapped);
    const ran = await login(args, { answers: endless });
    expect([ran.exitCode, ran.stored, ran.requests.length]).toEqual([2, null, 5]);
  });
});

describe("login with a token", () => {
  test("lookup=false asks nothing, and knows nothing of the token", async () => {
    const ran = await login(["token=hvs.x", "lookup=0"], { answers: [] });
    expect([ran.exitCode, ran.requests, ran.stored]).toEqual([0, [], "hvs.x"]);
    expect(ran.stdout).toContain("policies             []\n");
  });

  test("an unknown method is named with those that there are", async () => {
    const ran = await login(["-method=ldap"]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr.replaceAll("\n", " ")).toStartWith(
      "Unknown auth method: ldap. The command line knows approle, jwt, token, userpass;",
    );
  });
});
