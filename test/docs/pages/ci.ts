/** The page about pipelines. */

import { expect } from "bun:test";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { newSigner, sign, startIssuer } from "../../auth/issuer.ts";
import { ROOT } from "../../binary/built.ts";
import { startTokenEndpoint } from "../../ci/world.ts";
import { freePort } from "../../servers/process.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { expectNoUsers, initDatabase } from "./postgres.ts";

const GITHUB = "https://token.actions.githubusercontent.com";
const DAEMON = "https://vsec.example:8200";
const ACTION = join(ROOT, "packaging/github-action");

type IdentityTokens = (audience: string) => Promise<string>;
type Variables = Readonly<Record<string, string>>;

/** What vouches for the jobs of a page. */
const identityTokens = new WeakMap<Place, IdentityTokens>();

/** A CI system whose jobs are of the branch that the page's role is bound to. */
async function startCi(at: Place): Promise<void> {
  const signer = newSigner("RS256", "ci");
  const issuer = await startIssuer();
  issuer.publish(signer);
  at.finally(() => issuer.close());
  at.replaced.set(GITHUB, issuer.url);
  const now = Math.floor(Date.now() / 1000);
  const repository = { repository: "example/app", ref: "refs/heads/main" };
  const job = { iss: issuer.url, sub: "repo:example/app:ref:refs/heads/main", iat: now, exp: now + 300 };
  identityTokens.set(at, (aud) => sign(signer, { ...job, ...repository, aud }));
}

/** A CI system, a daemon that its jobs reach, and what a migration may have. */
async function prepare(at: Place): Promise<void> {
  await initDatabase(at, "pg", ["migrations"]);
  await startCi(at);
  const port = await freePort();
  at.replaced.set(DAEMON, `http://127.0.0.1:${port}`);
  const daemon = await at.world.daemon({}, [`-listen=127.0.0.1:${port}`]);
  at.finally(async () => {
    daemon.kill("SIGTERM");
    await daemon.ended;
  });
  at.script("migrate.sh", 'test -n "$DB_USERNAME" && test -n "$DB_PASSWORD" && echo migrated');
  mkdirSync(at.at("job"));
}

/** Runs lines in the shell of a job, which has the checkout, and neither a store nor a token. @returns What they print. */
async function inJob(at: Place, lines: readonly string[], env: Variables): Promise<string> {
  const { PATH = "" } = at.surroundings.env;
  const { stdout } = await promisify(execFile)("sh", ["-e", "-c", lines.join("\n")], {
    cwd: at.world.home,
    env: { PATH, HOME: at.at("job"), ...env },
  });
  return stdout;
}

/** What a step has told the runner, as lines of the shell. */
function told(at: Place, file: string, prefix: string): readonly string[] {
  const text = readFileSync(at.at(file), "utf8");
  const values = [...text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2\n/gm)];
  return values.map(([, name, , value]) => `export ${prefix}${name}='${value}'`);
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Variables;
}

/** What a runner gives to the action: the inputs of the step, which have to be the action's, and its own variables. */
async function runnerOf(at: Place, inputs: Variables, known: Readonly<Record<string, { default?: string }>>) {
  expect(Object.keys(known)).toEqual(expect.arrayContaining(Object.keys(inputs)));
  const all = Object.entries(known).map(
    ([name, { default: value = "" }]) => [name, inputs[name] ?? value] as const,
  );
  const tokens = identityTokens.get(at) as IdentityTokens;
  const endpoint = await startTokenEndpoint({ identityToken: tokens });
  at.finally(() => endpoint.close());
  const files = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"].map((name) => [name, at.at(name)] as const);
  for (const [, file] of files) writeFileSync(file, "");
  return {
    ...Object.fromEntries(all.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    ...Object.fromEntries(files),
    ACTIONS_ID_TOKEN_REQUEST_URL: endpoint.url,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: endpoint.bearer,
  };
}

/** Runs the job of a workflow as a runner does: the action with its inputs, the other steps, and the action's end. */
async function runWorkflow(at: Place, text: string): Promise<void> {
  const workflow = parse(text);
  expect(workflow).toMatchObject({ on: { push: {} }, permissions: { "id-token": "write" } });
  const steps: readonly Step[] = workflow.jobs.migrate.steps;
  const action = steps.find(({ uses = "" }) => uses.includes("/packaging/github-action@"));
  const { inputs, runs } = parse(readFileSync(join(ACTION, "action.yml"), "utf8"));
  const env = await runnerOf(at, action?.with ?? {}, inputs);
  await inJob(at, [`node ${join(ACTION, runs.main)}`], env);
  const scripts = steps.flatMap(({ run = "" }) => run);
  expect(await inJob(at, [...told(at, "GITHUB_ENV", ""), ...scripts], {})).toBe("migrated\n");
  await inJob(at, [...told(at, "GITHUB_STATE", "STATE_"), `node ${join(ACTION, runs.post)}`], env);
  await expectNoUsers(at);
}

/** Runs the job of a GitLab configuration with the template that it extends. */
async function runPipeline(at: Place, text: string): Promise<void> {
  const { include, migrate } = parse(text);
  expect(include).toEqual([{ local: "ci/vsec.yml" }]);
  const template = parse(readFileSync(join(ROOT, "packaging/gitlab/vsec.yml"), "utf8"))[migrate.extends];
  const identity = await (identityTokens.get(at) as IdentityTokens)(template.id_tokens.VSEC_ID_TOKEN.aud);
  const own = { VSEC_TOKEN_PATH: at.at("job/token"), VSEC_ID_TOKEN: identity };
  const env = { ...template.variables, ...migrate.variables, ...own };
  const said = await inJob(at, [...template.before_script, ...migrate.script], env);
  expect(said).toContain("migrated\n");
  await inJob(at, template.after_script, env);
  await expectNoUsers(at);
}

export const CI_PAGE: PageExamples = {
  page: "docs/ci.md",
  needs: ["postgres"],
  prepare,
  files: { ".github/workflows/deploy.yml": runWorkflow, ".gitlab-ci.yml": runPipeline },
  after: { "vsec run -env DB": expectNoUsers },
};
