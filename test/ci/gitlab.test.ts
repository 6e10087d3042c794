import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../binary/built.ts";
import { usersOn } from "../e2e/database.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { type CiWorld, ciWorld } from "./world.ts";

const template = parse(readFileSync(join(ROOT, "packaging", "gitlab", "vsec.yml"), "utf8"))[".vsec"];

describe.skipIf(postgresMissing(18) !== undefined)("the GitLab template", () => {
  let server: PostgresServer;
  let ci: CiWorld;
  const directory = mkdtempSync(join(tmpdir(), "vsec-gitlab-"));
  const tokenPath = join(directory, "token-7");
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    ci = await ciWorld(server);
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    ci?.world.remove();
    await server?.stop();
  });

  /** Runs scripts one after the other in one shell, as a runner does. */
  function script(lines: readonly string[], identity: string) {
    const { status, stdout, stderr } = spawnSync("sh", ["-e"], {
      input: lines.join("\n"),
      encoding: "utf8",
      env: {
        ...template.variables,
        PATH: `${dirname(ci.world.binary)}:${process.env.PATH ?? ""}`,
        HOME: directory,
        VSEC_STORE: ci.world.store,
        XDG_CONFIG_HOME: join(ci.world.home, ".config"),
        VSEC_ROLE: "deploy",
        VSEC_TOKEN_PATH: tokenPath,
        VSEC_ID_TOKEN: identity,
      },
    });
    return { status, stdout, stderr };
  }

  test("asks for an identity token with the audience that the role is bound to", () => {
    expect(template.id_tokens.VSEC_ID_TOKEN.aud).toBe("vsec");
  });

  test("logs the job in, and its end revokes all that it has issued", async () => {
    const identity = await ci.identityToken("vsec");
    const job = script([...template.before_script, "vsec read -field=username database/creds/app"], identity);
    expect(job).toMatchObject({ status: 0 });
    expect(await usersOn(server)).toEqual([job.stdout.trim().split("\n").at(-1) ?? ""]);
    expect(job.stdout + job.stderr).not.toContain("hvs.");
    expect(job.stdout + job.stderr).not.toContain(identity);
    expect(script(template.after_script, "")).toMatchObject({ status: 0 });
    expect(await usersOn(server)).toEqual([]);
    expect(existsSync(tokenPath)).toBe(false);
  });

  test("a token that cannot be revoked fails the end of the job, and is not left on the runner either", async () => {
    const job = script(template.before_script, await ci.identityToken("vsec"));
    expect(job).toMatchObject({ status: 0 });
    writeFileSync(tokenPath, "hvs.nobody");
    expect(script(template.after_script, "").status).not.toBe(0);
    expect(existsSync(tokenPath)).toBe(false);
  });

  test("a job that may not log in fails before its script, and its end does not mind", async () => {
    const identity = await ci.identityToken("other");
    const job = script([...template.before_script, "echo reached"], identity);
    expect(job.status).not.toBe(0);
    expect(job.stdout).not.toContain("reached");
    expect(script(template.after_script, "")).toMatchObject({ status: 0 });
  });
});
