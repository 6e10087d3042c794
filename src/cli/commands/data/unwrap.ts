import { isJsonObject } from "../../../base/json.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { answer, tableSentence } from "../../outcome.ts";
import type { CommandRequest } from "../../request.ts";
import { secretArgument } from "../../secret-argument.ts";
import { resolveToken } from "../../token-helper.ts";

interface Unwrapping {
  readonly request: CommandRequest;
  /** Absent: the token in use. */
  readonly token?: string;
}

/** A wrapping token is enough by itself; it goes beside the token in use only where there is one. */
async function unwrapping(context: CommandContext, argument: string | undefined): Promise<Unwrapping> {
  const request = { method: "PUT", path: "sys/wrapping/unwrap" } as const;
  const wrapping = argument === undefined ? "" : await secretArgument(context, argument);
  if (wrapping === "") return { request };
  const inUse = await resolveToken(context.world.env);
  if (inUse === undefined) return { request, token: wrapping };
  return wrapping === inUse ? { request } : { request: { ...request, body: { token: wrapping } } };
}

export const command = defineCommand({
  usage: "[options] [TOKEN]",
  description: `
Shows what a wrapping token wraps. That works once: a token that somebody else has used is refused, which tells that the secret was seen.

    $ vsec read -wrap-ttl=60s -field=wrapping_token database/creds/readonly

    $ vsec unwrap hvs.CAESIJ

Without TOKEN the token in use is the wrapping token; "-" reads it from standard input.`,
  flags: {},
  args: { min: 0, max: 1 },
  output: { format: true, field: true },
  requests: true,
  async run(context, _flags, [first]) {
    const { request, ...auth } = await unwrapping(context, first);
    const response = await context.send(request, { prefix: "Error unwrapping", wrap: true, ...auth });
    const body = bodyOf(response);
    if (body === undefined)
      return answer(tableSentence("Successfully unwrapped. There was no data in the wrapped secret."));
    const isList = isJsonObject(body.data) && Array.isArray(body.data.keys);
    return isList && context.options.field === undefined
      ? answer({ show: "keys", body, detailed: false })
      : answer({ show: "secret", body });
  },
});
