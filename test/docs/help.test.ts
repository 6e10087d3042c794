/** Every example of the help, which are those of the manual pages and of docs/reference/cli.md, does what it says it does. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { CATALOGUE } from "../../src/cli/commands/index.ts";
import { CREATE_USER } from "../e2e/database.ts";
import { postgresMissing } from "../servers/postgres.ts";
import { DAY, ELSEWHERE } from "./help-day.ts";
import { withPostgres } from "./pages/postgres.ts";
import { Place, Servers } from "./place.ts";
import { programMissing } from "./programs.ts";

const LINES = DAY.split("\n").filter((line) => line !== "");

/** The examples of all commands, each in one line. */
async function examples(): Promise<readonly string[]> {
  const descriptions = await Promise.all(
    CATALOGUE.commands.map(async ({ load }) => (await load()).command.description),
  );
  const found = descriptions.flatMap((text) => [...text.matchAll(/^ {4}\$ ((?:.*\\\n)*.*)$/gm)]);
  return found.map(([, example = ""]) => example.replaceAll(/\s*\\\n\s*/g, " "));
}

const isElsewhere = (example: string): boolean =>
  Object.keys(ELSEWHERE).some((start) => example.startsWith(start));

test("each is part of the day below, or is run elsewhere", async () => {
  const all = await examples();
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((example) => !LINES.includes(example) && !isElsewhere(example))).toEqual([]);
  const unused = Object.keys(ELSEWHERE).filter((start) => !all.some((example) => example.startsWith(start)));
  expect(unused).toEqual([]);
});

/** What the examples take for granted beside what the day makes itself, and what stands for what. */
async function prepare(at: Place): Promise<void> {
  const server = await withPostgres(at);
  const { password } = await server.createAdmin("createrole", "vsec");
  for (const folder of ["secrets", "log"]) mkdirSync(at.at(folder));
  at.world.file("secrets/db", password);
  at.world.file("create.sql", CREATE_USER);
  at.world.file("apps-policy.hcl", 'path "database/creds/readonly" { capabilities = ["read"] }\n');
  at.world.file("app.env", "TOKEN={{ secret/app#token }}\n");
  at.world.file("app.conf.tpl", "token = {{ secret/app#token }}\n");
  at.script("migrate.sh", 'test -n "$DB_PASSWORD"');
  at.script("server", 'test -n "$TOKEN"');
  at.typed.set("vsec run -pg", "SELECT 1;\n");
  const { replaced } = at;
  replaced.set("@db:5432", `@127.0.0.1:${server.port}`);
  replaced.set("/run/secrets", at.at("secrets"));
  replaced.set("/var/log", at.at("log"));
  replaced.set("operator init", "operator init -seal=key-file");
  // What differs from day to day is kept in variables.
  replaced.set("database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de", "$lease");
  replaced.set("9793c9b3-e04a-46f3-e7b8-748d7da248da", "$accessor");
  replaced.set("hvs.CAESIJ", "$wrapped");
  replaced.set("59d6d1ca", "$role_id");
}

const missing = postgresMissing(18) ?? programMissing("psql");
const TITLE = `a day with the help${missing === undefined ? "" : ` (${missing})`}`;

describe.skipIf(missing !== undefined)(TITLE, () => {
  const servers = new Servers();
  let at: Place;
  beforeAll(async () => {
    at = new Place(servers);
    await prepare(at);
  });
  afterAll(async () => {
    await at?.close();
    await servers.stop();
  });

  test.each(LINES)("%s", async (line) => {
    const typed = [...at.typed].find(([start]) => line.startsWith(start))?.[1] ?? "";
    const { code, printed } = await at.shell.run(at.here(line), typed);
    expect(code === 0 ? 0 : `exit code ${code}\n${printed}`).toBe(0);
  });
});
