import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { sentence } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";
import type { CommandRequest } from "../../request.ts";
import { secretArgument } from "../../secret-argument.ts";
import { ACCESSOR_FLAG } from "../../token-subject.ts";

const MODES = ["orphan", "path"] as const;
type Mode = (typeof MODES)[number] | "";

interface Given {
  readonly mode: Mode;
  readonly self: boolean;
  readonly accessor: boolean;
}

function modeOf(text: string): Mode {
  const mode = (["", ...MODES] as const).find((word) => word === text);
  if (mode === undefined) throw localFailure(`Invalid mode: ${text}`);
  return mode;
}

/** Refuses flags and arguments that contradict each other, with Vault's texts and in its order. */
function check({ mode, self, accessor }: Given, got: number): void {
  if (self && got > 0) throw localFailure(`Too many arguments with -self (expected 0, got ${got})`);
  if (!self && got > 1) throw localFailure(`Too many arguments (expected 1 or -self, got ${got})`);
  if (!self && got < 1) throw localFailure(`Not enough arguments (expected 1 or -self, got ${got})`);
  if (self && accessor) throw localFailure("Cannot use -self with -accessor!");
  if (self && mode !== "") throw localFailure("Cannot use -self with -mode!");
  if (accessor && mode !== "") throw localFailure(`Cannot use -accessor with -mode=${mode}!`);
}

function requestFor({ mode, self, accessor }: Given, subject: string): CommandRequest {
  if (self) return { method: "PUT", path: "auth/token/revoke-self" };
  if (accessor) return { method: "POST", path: "auth/token/revoke-accessor", body: { accessor: subject } };
  switch (mode) {
    case "orphan":
      return { method: "PUT", path: "auth/token/revoke-orphan", body: { token: subject } };
    case "path":
      return { method: "PUT", path: `sys/leases/revoke-prefix/${dataPath(subject)}` };
    case "":
      return { method: "PUT", path: "auth/token/revoke", body: { token: subject } };
  }
}

export const command = defineCommand({
  usage: "[options] [TOKEN | ACCESSOR]",
  description: `
Revokes a token, its children, and every lease that they hold. "-" reads the token from standard input.

    $ vsec token revoke -accessor 9793c9b3-e04a-46f3-e7b8-748d7da248da

The token in use; the file that remembers it stays:

    $ vsec token revoke -self

The token without its children, which become orphans:

    $ vsec token revoke -mode=orphan - < token.txt`,
  flags: {
    self: { kind: "bool", text: "Revoke the token in use." },
    ...ACCESSOR_FLAG,
    mode: {
      kind: "string",
      text: 'With "orphan" the children live on. With "path" the argument is a path, and every lease and token made under it is revoked.',
      words: MODES,
    },
  },
  output: {},
  requests: true,
  async run(context, flags, args) {
    const given = { mode: modeOf(flags.mode ?? ""), self: flags.self, accessor: flags.accessor };
    check(given, args.length);
    const subject = await secretArgument(context, args[0] ?? "");
    const response = await context.send(requestFor(given, subject), { prefix: "Error revoking token" });
    return sentence("Success! Revoked token (if it existed)", bodyOf(response));
  },
});
