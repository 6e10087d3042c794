import { createHash } from "node:crypto";

/** An account as the server names it. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** A name in backticks, in which only a backtick is special, whatever `sql_mode` says. */
function identifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** An account as it stands in a statement. */
export function accountName({ user, host }: Account): string {
  return `${identifier(user)}@${identifier(host)}`;
}

/** A list of texts to compare with, as binary literals, which no `sql_mode` reads differently. */
export function binaryList(texts: readonly string[]): string {
  return texts.map((text) => `X'${Buffer.from(text, "utf8").toString("hex")}'`).join(", ");
}

/** A string literal. @param hasEscapes - A backslash is special to the session. */
export function literal(text: string, hasEscapes: boolean): string {
  const quoted = text.replaceAll("'", "''");
  return `'${hasEscapes ? quoted.replaceAll("\\", "\\\\") : quoted}'`;
}

/** The name of the lock under which creation and deletion of a user exclude each other, as a literal: at most 64 characters. */
export function lockName(username: string): string {
  return `'vsec:${createHash("sha256").update(username).digest("hex").slice(0, 40)}'`;
}
