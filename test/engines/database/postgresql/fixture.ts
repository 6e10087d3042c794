/** What the tests of the PostgreSQL plugin share: servers, administrators and plugins made in one line. */

import { describe, setDefaultTimeout } from "bun:test";
import { randomBytes } from "node:crypto";
import type { JsonObject } from "../../../../src/base/json.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { DatabasePlugin, DoomedUser, PluginContext } from "../../../../src/engines/database/plugin.ts";
import { postgresql } from "../../../../src/engines/database/plugins/postgresql/plugin.ts";
import {
  type PostgresLogin,
  type PostgresServer,
  type PostgresVersion,
  postgresMissing,
} from "../../../servers/postgres.ts";

export const context: PluginContext = {
  clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  random: { bytes: (length) => randomBytes(length) },
  log: silentLog,
};

/** Describes the behaviour on each version of the server; one that cannot run here is skipped, with the reason. */
export function onEachVersion(behaviour: (version: PostgresVersion) => void): void {
  setDefaultTimeout(60_000);
  for (const version of [15, 18] as const) {
    const missing = postgresMissing(version);
    const title = `PostgreSQL ${version}${missing === undefined ? "" : ` (skipped: ${missing})`}`;
    describe.skipIf(missing !== undefined)(title, () => behaviour(version));
  }
}

/** A plugin on this server as this administrator; `more` adds or replaces connection details. */
export function openPlugin(
  server: PostgresServer,
  admin: PostgresLogin,
  database: string,
  more: JsonObject = {},
): DatabasePlugin {
  const details = {
    connection_url: server.url({ database, user: "{{username}}", password: "{{password}}" }),
    username: admin.username,
    password: admin.password,
    ...more,
  };
  return postgresql.open(details, context);
}

export const HOUR_MS = 3_600_000;

export const CREATE_LOGIN = `CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`;

/** Names for doomed users that go by the built-in plan. */
export function doomed(...usernames: readonly string[]): DoomedUser[] {
  return usernames.map((username) => ({ username, revocationStatements: [] }));
}

/** Creates a login that is valid for an hour. */
export function createLogin(
  plugin: DatabasePlugin,
  username: string,
  password: string,
  ...more: readonly string[]
): Promise<void> {
  const expiresAt = Date.now() + HOUR_MS;
  return plugin.newUser({ username, password, expiresAt, creationStatements: [CREATE_LOGIN, ...more] });
}
