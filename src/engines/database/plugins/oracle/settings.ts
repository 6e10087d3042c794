/** What the connection details of an Oracle connection mean. @see reference: engines.md sections 1.8 and 1.9.4. */

import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { booleanDetail, textDetail, urlDetails } from "../../connection-url.ts";
import { type PoolLimits, poolLimits } from "../../pool-limits.ts";

export interface OracleSettings {
  readonly username: string;
  readonly password: string;
  /** As the driver takes it: `host:port/service`, a full descriptor, or a name from `tnsnames.ora`. */
  readonly connectString: string;
  /** Whether statements are cut at `;`. A PL/SQL block needs them whole. */
  readonly isSplit: boolean;
  readonly endsSessions: boolean;
  readonly limits: PoolLimits;
}

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong. */
export function oracleSettings(details: JsonObject): OracleSettings {
  const shared = urlDetails(details);
  const parts = partsOf(shared.template);
  const fill = (text: string): string =>
    text.replace(/\{\{(username|password)\}\}/g, (_, name: "username" | "password") => shared[name]);
  return {
    username: fill(parts.username),
    password: fill(parts.password),
    connectString: fill(parts.place),
    isSplit: booleanOr(details, "split_statements", true),
    endsSessions: booleanOr(details, "disconnect_sessions", true),
    limits: poolLimits(details),
  };
}

function booleanOr(details: JsonObject, name: string, fallback: boolean): boolean {
  return textDetail(details, name) === "" ? fallback : booleanDetail(details, name);
}

/**
 * Takes `user/password@place` apart, before anything is filled in: what is put in can then hold any character. Also with
 * `oracle://user:password@place`.
 */
function partsOf(template: string): {
  readonly username: string;
  readonly password: string;
  readonly place: string;
} {
  const isUrl = /^oracle:\/\//i.test(template);
  const text = template.replace(/^oracle:\/\//i, "");
  const at = text.lastIndexOf("@");
  const login = at === -1 ? "" : text.slice(0, at);
  const divider = login.indexOf(isUrl ? ":" : "/");
  const place = text.slice(at + 1).replace(/^\/\//, "");
  if (at === -1 || divider === -1 || place === "") {
    throw badRequest("connection_url must be {{username}}/{{password}}@host:port/service");
  }
  return { username: login.slice(0, divider), password: login.slice(divider + 1), place };
}
