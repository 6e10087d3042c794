import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure, remoteFailure } from "../../failure.ts";
import { goQuote } from "../../go-text.ts";
import type { LoginMethod } from "../../login/method.ts";
import { loginMethod } from "../../login/methods.ts";
import { mountsOf } from "../../mount-list.ts";
import { sentence } from "../../outcome.ts";
import { mountPath } from "../../paths.ts";

/** The method that is mounted at a path. */
async function methodAt(context: CommandContext, argument: string): Promise<LoginMethod> {
  const response = await context.send(
    { method: "GET", path: "sys/auth" },
    { prefix: "Error listing auth methods" },
  );
  const path = mountPath(argument);
  const mount = mountsOf(response).find(([candidate]) => candidate === path)?.[1];
  if (mount === undefined) throw localFailure(`No auth method available on the server at ${goQuote(path)}`);
  const method = loginMethod(String(mount.type));
  if (method === undefined)
    throw remoteFailure(`No method-specific CLI handler available for auth method ${goQuote(argument)}`);
  return method;
}

export const command = defineCommand({
  usage: "[options] TYPE | PATH",
  description: `
Shows how to log in by an auth method, named by its type or by the path at which it is enabled.

    $ vsec auth help userpass`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, _flags, [first = ""]) {
    const argument = first.trim();
    const method = loginMethod(argument) ?? (await methodAt(context, argument));
    return sentence(method.help.trim());
  },
});
