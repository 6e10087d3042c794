/** The agent's login by an identity token, as a pod or a pipeline has it in a file. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CiWorld, ciWorld } from "../ci/world.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { usersOn } from "./database.ts";

describe.skipIf(postgresMissing(18) !== undefined)("the agent's login by an identity token", () => {
  let server: PostgresServer;
  let ci: CiWorld;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    ci = await ciWorld(server);
  });
  afterAll(async () => {
    ci?.world.remove();
    await server?.stop();
  });

  const at = (name: string): string => join(ci.world.home, name);
  /** @param settings - More of the method's. */
  const config = (settings: string, rest: string): void => {
    ci.world.file(
      "agent.hcl",
      `auto_auth { method "jwt" { mount_path = "auth/jwt" config = { path = "identity" role = "deploy" ${settings} } }\n${rest}`,
    );
  };
  const DB = '{{ with secret \\"database/creds/app\\" }}{{ .Data.username }}{{ end }}';

  test("has the token in a sink and the file rendered; the identity token is gone, and appears nowhere", async () => {
    const identity = await ci.identityToken("vsec");
    ci.world.file("identity", `${identity}\n`);
    config(
      "",
      'sink "file" { config = { path = "sink" mode = "0600" } } }\nexit_after_auth = true\n' +
        'template { destination = "key" contents = "{{ with secret \\"kv/data/deploy\\" }}{{ .Data.data.key }}{{ end }}" }',
    );
    const { code, stdout, stderr } = await ci.world.run("agent -config=agent.hcl");
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "",
      stderr: "==> vsec agent started\nagent: logged in by jwt\nagent: rendered key\n",
    });
    expect(existsSync(at("identity"))).toBe(false);
    expect(readFileSync(at("key"), "utf8")).toBe("line one\nline two");
    expect(statSync(at("sink")).mode & 0o777).toBe(0o600);
    const env = { VSEC_TOKEN: readFileSync(at("sink"), "utf8") };
    expect(await ci.world.ok("token lookup -field=policies", { env })).toContain("deploy");
    await ci.world.ok("token revoke -self", { env });
  });

  test("a process gets its credential, which ends with the agent; the identity token may stay", async () => {
    ci.world.file("identity", await ci.identityToken("vsec"));
    config(
      'remove_jwt_after_reading = "false"',
      `}\nenv_template "DB" { contents = "${DB}" }\nexec { command = ["sh", "-c", "echo up $DB >&2; exec sleep 60"] }`,
    );
    const running = ci.world.start("agent -config=agent.hcl");
    await until("the process", () => running.stderr().includes("up v-"));
    expect(await usersOn(server)).toEqual([/up (\S+)/.exec(running.stderr())?.[1] ?? ""]);
    running.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    expect(await usersOn(server)).toEqual([]);
    expect(existsSync(at("identity"))).toBe(true);
  });

  test("a file that is not there is named", async () => {
    rmSync(at("identity"), { force: true });
    config("", "}\nexit_after_auth = true");
    expect(await ci.world.run("agent -config=agent.hcl")).toMatchObject({
      code: 1,
      stderr: "==> vsec agent started\njwt: open identity: no such file or directory\n",
    });
  });

  test("an identity token for somebody else is refused, and stays where it is", async () => {
    const identity = await ci.identityToken("other");
    ci.world.file("identity", identity);
    config("", "}\nexit_after_auth = true");
    const { code, stderr } = await ci.world.run("agent -config=agent.hcl");
    expect(code).toBe(2);
    expect(stderr).toContain("audience");
    expect(stderr).not.toContain(identity);
    expect(existsSync(at("identity"))).toBe(true);
  });
});
