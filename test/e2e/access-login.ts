/** Logins, and what audit records of them and of everything else. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { newSigner, pemOf, sign, startIssuer } from "../auth/issuer.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { type Creds, initDatabase, readCreds, usersOn } from "./database.ts";
import type { Transport } from "./transport.ts";
import { type Ended, World } from "./world.ts";

interface Login {
  readonly auth: {
    readonly client_token: string;
    readonly policies: readonly string[];
    readonly entity_id: string;
  };
}

interface AuditRecord {
  readonly type: string;
  readonly time: string;
  readonly error?: string;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, unknown>> & { readonly id: string; readonly path: string };
  readonly response?: Readonly<Record<string, unknown>> & {
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

const as = (token: string): { env: Record<string, string> } => ({ env: { VSEC_TOKEN: token } });

function refusal({ code, stdout, stderr }: Ended): string {
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  return stderr.replace(/^[\s\S]*Code: /, "").trim();
}

export function accessLoginOver(transport: Transport): void {
  const title = `logins and audit (${transport})`;
  describe.skipIf(postgresMissing(18) !== undefined)(title, () => accessLogin(transport));
}

function accessLogin(transport: Transport): void {
  const world = new World("vsec", { VSEC_SWEEP: "off" });
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await world.reachOver(transport);
    await initDatabase(world, server);
    await world.ok("policy write apps -", {
      stdin: 'path "database/creds/app" { capabilities = ["read"] }',
    });
  });
  afterAll(async () => {
    await server?.stop();
    await world.close();
  });

  test("a person logs in by name and password, and the token is kept for the next command", async () => {
    expect(await world.ok("auth enable userpass")).toBe(
      "Success! Enabled userpass auth method at: userpass/\n",
    );
    await world.ok("write auth/userpass/users/ann password=- token_policies=apps", {
      stdin: "anns-password",
    });
    const root = readFileSync(world.tokenFile, "utf8");
    const { code, stdout, stderr } = await world.run("login -method=userpass username=ann password=-", {
      stdin: "anns-password",
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining("You are now authenticated")]);
    expect(stdout + stderr).not.toContain("anns-password");
    expect(statSync(world.tokenFile).mode & 0o777).toBe(0o600);
    const token = await world.ok("print token");
    expect(token.trim()).not.toBe(root);
    const creds = await readCreds(world);
    expect(creds.data.username).toStartWith("v-userpass-app-");
    expect((await world.run("policy list")).code).toBe(2);
    world.file(".vsec-token", root);
    expect(await world.ok("token lookup -field=display_name", as(token.trim()))).toBe("userpass-ann");
    const again = await world.ok("login -no-store -token-only -", { stdin: token });
    expect(again).toBe(token.trim());
    expect(readFileSync(world.tokenFile, "utf8")).toBe(root);
    const wrong = await world.run("login -method=userpass username=ann password=wrong");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("invalid username or password")]);
    // Disabling the method ends its tokens, and what they hold.
    await world.ok("auth disable userpass");
    expect((await world.run("token lookup", as(token.trim()))).code).toBe(2);
    expect(await usersOn(server)).not.toContain(creds.data.username);
  });

  test("a machine logs in with a role id and a secret id, which comes wrapped and works once", async () => {
    await world.ok("auth enable approle");
    await world.ok("write auth/approle/role/ci token_policies=apps secret_id_num_uses=1 token_ttl=20m");
    const roleId = await world.ok("read -field=role_id auth/approle/role/ci/role-id");
    const wrapping = await world.ok(
      "write -force -wrap-ttl=60s -field=wrapping_token auth/approle/role/ci/secret-id",
    );
    const secretId = await world.ok(`unwrap -field=secret_id ${wrapping}`);
    const line = `write auth/approle/login role_id=${roleId} secret_id=-`;
    const nobody = { VSEC_TOKEN: undefined, HOME: join(world.home, "nowhere") };
    const { auth } = await world.json<Login>(line, { stdin: secretId, env: nobody });
    expect(auth).toMatchObject({ policies: ["apps", "default"], lease_duration: 1200, orphan: true });
    await world.ok("read database/creds/app", as(auth.client_token));
    expect(refusal(await world.run(line, { stdin: secretId, env: nobody }))).toMatch(
      /^400.*\n\n\* invalid role/i,
    );
    const second = await world.ok("write -force -field=secret_id auth/approle/role/ci/secret-id");
    const login = await world.run(
      `login -method=approle -no-store -field=token role_id=${roleId} secret_id=-`,
      {
        stdin: second,
      },
    );
    expect([login.code, login.stderr]).toEqual([0, ""]);
    await world.ok("read database/creds/app", as(login.stdout.trim()));
  });

  test("a pipeline logs in with its identity token, checked against a key or the issuer's key set", async () => {
    const signer = newSigner("ES256", "key-1");
    const stranger = newSigner("ES256", "key-1");
    const issuer = await startIssuer();
    issuer.publish(signer);
    await world.ok("auth enable jwt");
    await world.ok("auth enable -path=ci-keys jwt");
    world.file("key.pem", pemOf(signer));
    await world.ok("write auth/jwt/config jwt_validation_pubkeys=@key.pem bound_issuer=https://ci.example");
    await world.ok(`write auth/ci-keys/config jwks_url=${issuer.jwksUrl}`);
    const role = JSON.stringify({
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: "vsec",
      bound_claims: { ref: "main" },
      token_policies: "apps",
    });
    for (const mount of ["jwt", "ci-keys"]) {
      await world.ok(`write auth/${mount}/role/ci -`, { stdin: role });
    }
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: "https://ci.example",
      sub: "repo:app",
      aud: "vsec",
      ref: "main",
      iat: now,
      exp: now + 300,
    };
    const logIn = async (mount: string, jwt: string): Promise<Ended> =>
      world.run(`write -format=json auth/${mount}/login role=ci jwt=-`, { stdin: jwt });
    for (const mount of ["jwt", "ci-keys"]) {
      const { code, stdout } = await logIn(mount, await sign(signer, claims));
      expect(code).toBe(0);
      const { auth } = JSON.parse(stdout) as Login;
      await world.ok("read database/creds/app", as(auth.client_token));
      const wrong = [
        await sign(stranger, claims),
        await sign(signer, { ...claims, aud: "another" }),
        await sign(signer, { ...claims, ref: "feature" }),
        await sign(signer, { ...claims, exp: now - 3600 }),
        `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`,
      ];
      for (const jwt of wrong) expect(refusal(await logIn(mount, jwt))).toMatch(/^40[03]/);
    }
    issuer.close();
  });

  const records = (file: string): readonly AuditRecord[] =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as AuditRecord);

  describe("with a file device", () => {
    const file = (): string => join(world.home, "logs", "audit.log");
    let token = "";
    beforeAll(async () => {
      expect(await world.ok(`audit enable file file_path=${file()}`)).toBe(
        "Success! Enabled the file audit device at: file/\n",
      );
      token = await world.ok("token create -field=token -policy=apps -display-name=watched");
    });
    afterAll(async () => {
      rmSync(file(), { recursive: true, force: true });
      await world.ok("audit disable file");
    });

    test("a request and its answer are recorded, with hashes that audit-hash confirms", async () => {
      expect(statSync(file()).mode & 0o777).toBe(0o600);
      const creds = await readCreds(world, "database/creds/app", as(token));
      const { data } = await world.json<{ data: { accessor: string } }>("token lookup", as(token));
      const hash = async (input: string): Promise<string> =>
        world.ok("write -field=hash sys/audit-hash/file input=-", { stdin: input });
      const pair = records(file()).filter(({ request }) => request.path === "database/creds/app");
      expect(pair.map(({ type }) => type)).toEqual(["request", "response"]);
      const [request, response] = pair as [AuditRecord, AuditRecord];
      expect(request.request.id).toBe(response.request.id);
      expect(request.time <= response.time).toBe(true);
      const auth = {
        client_token: await hash(token),
        accessor: await hash(data.accessor),
        display_name: "token-watched",
        policies: ["apps", "default"],
        token_type: "service",
      };
      for (const record of pair) {
        expect(record).toMatchObject({
          auth,
          request: { operation: "read", mount_point: "database/", mount_type: "database" },
        });
      }
      expect(request.response).toBeUndefined();
      expect(response.response).toMatchObject({
        secret: { lease_id: creds.lease_id },
        data: { username: await hash(creds.data.username), password: await hash(creds.data.password) },
      });
      const text = readFileSync(file(), "utf8");
      for (const secret of [token, creds.data.password, data.accessor]) expect(text).not.toContain(secret);
    });

    test("a refusal is recorded with what it was answered", async () => {
      await world.run("policy list", as(token));
      await world.run("unwrap hvs.forged");
      const refused = records(file()).filter(({ error }) => error !== undefined);
      const shown = refused.map(({ request, error }) => `${request.path}: ${error?.replaceAll(/\s+/g, " ")}`);
      expect(shown.join("\n")).toMatch(/sys\/policies\/acl\/?: .*permission denied/);
      expect(shown.join("\n")).toMatch(/sys\/wrapping\/unwrap: .*wrapping token is not valid/);
    });

    test("a file that was deleted or moved away is noticed", async () => {
      renameSync(file(), `${file()}.1`);
      await world.ok("secrets list");
      expect(records(file()).map(({ type }) => type)).toEqual(["request", "response"]);
      rmSync(file());
      await world.ok("secrets list");
      expect(records(file()).length).toBe(2);
    });

    test("with the device unable to write, requests are refused and nothing is done", async () => {
      const before = await usersOn(server);
      rmSync(file());
      mkdirSync(file());
      chmodSync(file(), 0o500);
      for (const line of [
        "read database/creds/app",
        "write database/roles/new db_name=pg creation_statements=@create.sql",
        "token create",
        "audit disable file",
        "secrets disable database",
        "lease revoke -prefix database/",
      ]) {
        const { code, stdout, stderr } = await world.run(line);
        expect([line, code, stdout, stderr]).toEqual([line, 2, "", expect.stringContaining("Code: 500")]);
      }
      expect(await usersOn(server)).toEqual(before);
      rmSync(file(), { recursive: true });
      expect((await world.run("read database/roles/new")).code).toBe(2);
      const creds = await world.json<Creds>("read database/creds/app");
      expect(await usersOn(server)).toEqual([...before, creds.data.username]);
      expect(existsSync(file())).toBe(true);
    });

    // With commands in processes of their own; the daemon that serves them is started and ended by the test itself.
    if (transport === "process") {
      test("the daemon opens the file anew on SIGHUP, and lines of commands beside it are not lost", async () => {
        const daemon = await world.daemon();
        renameSync(file(), `${file()}.2`);
        daemon.kill("SIGHUP");
        await world.ok("secrets list");
        daemon.kill("SIGTERM");
        expect((await daemon.ended).code).toBe(0);
        expect(records(file()).filter(({ request }) => request.path === "sys/mounts").length).toBe(2);
      });
    }
  });
}
