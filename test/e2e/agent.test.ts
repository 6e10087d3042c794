/** `vsec render` and `vsec agent`: files and processes with secrets, kept and given back. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, usersOn } from "./database.ts";
import { World } from "./world.ts";

describe.skipIf(postgresMissing(18) !== undefined)("render and agent", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await initDatabase(world, server);
    await world.ok(
      "write database/roles/short db_name=pg creation_statements=@create.sql default_ttl=3s max_ttl=4s",
    );
    await world.ok("secrets enable -path=secret kv-v2");
    await world.ok("kv put secret/app token=open-sesame");
    await world.ok("auth enable approle");
    world.file(
      "app.hcl",
      'path "database/creds/*" { capabilities = ["read"] }\npath "secret/data/*" { capabilities = ["read"] }\n',
    );
    await world.ok("policy write app app.hcl");
    await world.ok("write auth/approle/role/app token_policies=app token_ttl=1h");
    world.file("role-id", await world.ok("read -field=role_id auth/approle/role/app/role-id"));
  });
  afterEach(async () => {
    await until("the end of all users", async () => (await usersOn(server)).length === 0);
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  const at = (name: string): string => join(world.home, name);
  const read = (name: string): string => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : "");
  const newSecretId = async (): Promise<void> => {
    world.file("secret-id", await world.ok("write -force -field=secret_id auth/approle/role/app/secret-id"));
  };
  const AUTH = `auto_auth {
    method "approle" { config = { role_id_file_path = "role-id" secret_id_file_path = "secret-id" } }
  `;

  test("a template is rendered to standard output, or to a file for its user alone", async () => {
    world.file("a.tpl", "token: {{ secret/app#token }}\nraw: {{{{ x }}\n");
    expect(await world.ok("render a.tpl")).toBe("token: open-sesame\nraw: {{ x }}\n");
    expect(await world.ok("render -out=a.conf -", { stdin: "{{secret/app#token}}" })).toBe("");
    expect(read("a.conf")).toBe("open-sesame");
    expect(statSync(at("a.conf")).mode & 0o777).toBe(0o600);
    await world.ok("render -out=a.conf -perms=0640 a.tpl");
    expect(statSync(at("a.conf")).mode & 0o777).toBe(0o640);
    await world.ok("render -out=a.conf a.tpl");
    expect(statSync(at("a.conf")).mode & 0o777).toBe(0o600);
  });

  test("a template that cannot be rendered leaves the file, and no lease", async () => {
    world.file("b.conf", "before");
    world.file("b.tpl", "{{ database/creds/app#username }}\n  {{ database/creds/app#nope }}");
    expect(await world.run("render -out=b.conf b.tpl")).toMatchObject({ code: 1, stdout: "" });
    expect(read("b.conf")).toBe("before");
    world.file("c.tpl", "x\n  {{ nothing }}");
    expect((await world.run("render c.tpl")).stderr).toStartWith('c.tpl:2:3: "nothing" names no field');
  });

  test("-watch renders again when a lease cannot go on or a value has changed, and tells the one who uses it", async () => {
    world.file("w.tpl", "{{ database/creds/short#username }} {{ secret/app#token }}\n");
    world.file("log", "");
    const line = [
      "render",
      "-watch",
      "-interval=1s",
      "-out=w.conf",
      "w.tpl",
      "--",
      "sh",
      "-c",
      "cat w.conf >> log",
    ];
    const running = world.start(line);
    await until("the first", () => read("log").includes("open-sesame"));
    await world.ok("kv put secret/app token=another");
    await until("the change of a value", () => read("log").includes("another"));
    await until("the change of a lease", () => new Set(read("log").match(/^v-\S+/gm)).size > 1);
    running.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ signal: "SIGTERM", stderr: "" });
    await world.ok("kv put secret/app token=open-sesame");
  });

  test("an agent that exits after its login leaves a token, and files that are good", async () => {
    await newSecretId();
    world.file(
      "once.hcl",
      `exit_after_auth = true\n${AUTH} sink "file" { config = { path = "sink" } } }
       template { destination = "once.conf" contents = "{{ with secret \\"database/creds/app\\" }}{{ .Data.username }}|{{ .LeaseID }}{{ end }}" }`,
    );
    const { code, stderr } = await world.run("agent -config=once.hcl");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "==> vsec agent started\nagent: logged in by approle\nagent: rendered once.conf\n",
    });
    expect(existsSync(at("secret-id"))).toBe(false);
    const [user = "", lease = ""] = read("once.conf").split("|");
    expect(await usersOn(server)).toEqual([user]);
    const token = read("sink");
    expect(await world.ok("token lookup -field=display_name", { env: { VSEC_TOKEN: token } })).toContain(
      "approle",
    );
    await world.ok(`lease revoke ${lease}`);
  });

  test("an agent runs a process with secrets, starts it anew when they change, and gives all back", async () => {
    await newSecretId();
    world.file("seen", "");
    world.file(
      "exec.hcl",
      `${AUTH} }
       env_template "DB" { contents = "{{ with secret \\"database/creds/short\\" }}{{ .Data.username }}{{ end }}" }
       exec { command = ["sh", "-c", "echo $DB $VSEC_TOKEN >> seen; test $(wc -l < seen) = 2 && exit 6; exec sleep 60"] }`,
    );
    const { code, stderr } = await world.run("agent -config=exec.hcl");
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: "==> vsec agent started\nagent: logged in by approle\n",
    });
    const lines = read("seen").trim().split("\n");
    expect(new Set(lines).size).toBe(2);
    for (const line of lines) expect(line).toMatch(/^v-\S+$/);
  });

  test("a process that cannot be started ends the agent, with nothing left", async () => {
    world.file(
      "nosuch.hcl",
      'env_template "DB" { contents = "{{ with secret \\"database/creds/app\\" }}{{ .Data.username }}{{ end }}" }\nexec { command = ["./no-such-app"] }',
    );
    const { code, stderr } = await world.run("agent -config=nosuch.hcl");
    expect(code).toBe(1);
    expect(stderr).toContain("exec: ./no-such-app: command not found\n");
  });

  test("-exit-after-auth says that it does not run what the file has it run", async () => {
    world.file(
      "flag.hcl",
      'template { destination = "flag.conf" contents = "x" }\nexec { command = ["touch", "ran"] }',
    );
    const { code, stderr } = await world.run("agent -exit-after-auth -config=flag.hcl");
    expect([code, read("flag.conf"), existsSync(at("ran"))]).toEqual([0, "x", false]);
    expect(stderr).toContain("agent: the command of exec is not run");
  });

  test("an agent that is told to end gives back what it had leased", async () => {
    await newSecretId();
    world.file(
      "serve.hcl",
      `pid_file = "agent.pid"\n${AUTH} }
       template { destination = "dir/serve.conf" perms = "0640" command = "touch reloaded" contents = "{{ (secret \\"database/creds/app\\").Data.username }}" }`,
    );
    const running = world.start("agent -config=serve.hcl");
    await until("the command", () => existsSync(at("reloaded")));
    expect(read("agent.pid")).toBe(`${running.pid}\n`);
    expect(await usersOn(server)).toEqual([read("dir/serve.conf")]);
    running.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(existsSync(at("agent.pid"))).toBe(false);
  });

  test("a change is written when it has come to rest, with what was there kept beside it", async () => {
    const token = await world.ok("token create -policy=app -ttl=1h -field=token");
    world.file("token", token);
    world.file(
      "wait.hcl",
      `auto_auth { method "token_file" { config = { token_file_path = "token" } } }
       template_config { static_secret_render_interval = "1s" }
       template {
         destination = "wait.conf"
         backup = true
         left_delimiter = "<<"
         right_delimiter = ">>"
         wait { min = "3s" max = "30s" }
         contents = "{{ kept }} << with secret \\"secret/data/app\\" >><< .Data.data.token >><< end >>"
         exec { command = ["sh", "-c", "cat wait.conf >> waits; echo >> waits"] }
       }`,
    );
    const running = world.start("agent -config=wait.hcl");
    await until("the first", () => read("waits").includes("open-sesame"));
    for (const next of ["one", "two", "three"]) await world.ok(`kv put secret/app token=${next}`);
    await until("the change", () => read("waits").includes("three\n"));
    expect(read("waits")).toBe("{{ kept }} open-sesame\n{{ kept }} three\n");
    expect(read("wait.conf.bak")).toBe("{{ kept }} open-sesame");
    running.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    // The token is somebody else's.
    await world.ok("token lookup", { env: { VSEC_TOKEN: token } });
    await world.ok("kv put secret/app token=open-sesame");
  });

  test("a command that takes too long is ended, and the agent goes on", async () => {
    world.file(
      "late.hcl",
      `exit_after_auth = true
       template { destination = "late.conf" contents = "x" exec { command = ["sleep", "60"] timeout = "1s" } }`,
    );
    const { code, stderr } = await world.run("agent -config=late.hcl");
    expect(code).toBe(0);
    expect(stderr).toContain("agent: sleep took longer than 1 s and was ended\n");
  });

  test("what cannot be rendered ends the agent where that is asked for", async () => {
    world.file(
      "fail.hcl",
      `vault { retry { num_retries = 1 } }
       template_config { exit_on_retry_failure = true }
       template { destination = "fail.conf" error_on_missing_key = true contents = "{{ with secret \\"database/creds/app\\" }}{{ .Data.nope }}{{ end }}" }`,
    );
    const { code, stderr } = await world.run("agent -config=fail.hcl");
    expect(code).toBe(1);
    expect(stderr.match(/contents:1:\d+: there is no field "nope"/g)).toHaveLength(2);
    expect(existsSync(at("fail.conf"))).toBe(false);
  });

  test("a login that fails ends the agent where that is asked for", async () => {
    world.file("secret-id", "wrong");
    world.file("err.hcl", AUTH.replace("config =", "exit_on_err = true config =").concat("}"));
    const { code, stderr } = await world.run("agent -config=err.hcl");
    expect(code).toBe(2);
    expect(stderr).toContain("invalid role or secret ID");
  });

  test("a mistake in the configuration or a template is told with its place", async () => {
    world.file("bad.hcl", "exit_after_auth = true\ncache {}\n");
    expect(await world.run("agent -config=bad.hcl")).toMatchObject({
      code: 1,
      stderr: 'bad.hcl:2:1: "cache" is not supported\n',
    });
    world.file("t.ctmpl", "x\n{{ key `a` }}");
    world.file("t.hcl", 'template { source = "t.ctmpl" destination = "t" }');
    expect((await world.run("agent -config=t.hcl")).stderr).toContain(
      't.ctmpl:2:4: the function "key" is not supported',
    );
    expect(await world.run("agent")).toMatchObject({
      code: 1,
      stderr: "Must specify exactly at least one config path using -config\n",
    });
  });
});
