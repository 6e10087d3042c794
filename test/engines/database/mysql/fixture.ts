/** What the tests of the MySQL plugin share. */

import { describe, setDefaultTimeout } from "bun:test";
import { randomBytes } from "node:crypto";
import type { JsonObject } from "../../../../src/base/json.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { DatabasePlugin, DoomedUser, PluginContext } from "../../../../src/engines/database/plugin.ts";
import { mysql } from "../../../../src/engines/database/plugins/mysql/plugin.ts";
import {
  type MysqlFlavour,
  type MysqlLogin,
  type MysqlServer,
  mysqlMissing,
} from "../../../servers/mysql.ts";

const context: PluginContext = {
  clock: { now: () => Date.now(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  random: { bytes: (length) => randomBytes(length) },
  log: silentLog,
};

/** Describes the behaviour on each kind of server; one that cannot run here is skipped, with the reason. */
export function onEachFlavour(behaviour: (flavour: MysqlFlavour) => void): void {
  setDefaultTimeout(60_000);
  for (const flavour of ["MariaDB", "MySQL"] as const) {
    const missing = mysqlMissing(flavour);
    const title = `${flavour}${missing === undefined ? "" : ` (skipped: ${missing})`}`;
    describe.skipIf(missing !== undefined)(title, () => behaviour(flavour));
  }
}

/** A plugin on this server as this administrator; `more` adds or replaces connection details. */
export function openPlugin(server: MysqlServer, admin: MysqlLogin, more: JsonObject = {}): DatabasePlugin {
  return mysql.open({ connection_url: server.url(), ...admin, ...more }, context);
}

export const CREATE_USER = "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'";

/** Names for doomed users that go by the built-in plan. */
export function doomed(...usernames: readonly string[]): DoomedUser[] {
  return usernames.map((username) => ({ username, revocationStatements: [] }));
}

/** Creates a user. */
export function createUser(
  plugin: DatabasePlugin,
  username: string,
  password: string,
  ...more: readonly string[]
): Promise<void> {
  return plugin.newUser({ username, password, expiresAt: 0, creationStatements: [CREATE_USER, ...more] });
}
