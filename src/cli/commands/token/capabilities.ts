import type { Json, JsonObject } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { checkCount } from "../../argument-count.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { compareKeys } from "../../output/plain-values.ts";
import type { CommandRequest } from "../../request.ts";
import { secretArgument } from "../../secret-argument.ts";
import { ACCESSOR_FLAG, checkAccessorCount } from "../../token-subject.ts";

async function requestFor(
  context: CommandContext,
  isAccessor: boolean,
  [first = "", second]: readonly string[],
): Promise<CommandRequest> {
  if (second === undefined)
    return { method: "POST", path: "sys/capabilities-self", body: { path: first.trim() } };
  const subject = await secretArgument(context, first);
  const path = second.trim();
  return isAccessor
    ? { method: "POST", path: "sys/capabilities-accessor", body: { accessor: subject, path } }
    : { method: "POST", path: "sys/capabilities", body: { token: subject, path } };
}

/** The words for the one path that was asked about. */
function capabilitiesOf(data: JsonObject, path: string): readonly string[] {
  const found = data.capabilities ?? data[path];
  return Array.isArray(found) ? (found as readonly Json[]).map(String) : [];
}

export const command = defineCommand({
  usage: "[options] [TOKEN | ACCESSOR] PATH",
  description: `
Shows what a token may do at a path. Without a token it is the one in use; "-" reads it from standard input.

    $ vsec token capabilities database/creds/readonly`,
  flags: ACCESSOR_FLAG,
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    if (flags.accessor) checkAccessorCount(2, args.length);
    else checkCount({ min: 1, max: 2 }, args.length);
    const request = await requestFor(context, flags.accessor, args);
    const response = await context.send(request, { prefix: "Error listing capabilities" });
    const capabilities = capabilitiesOf(dataOf(response), args.at(-1)?.trim() ?? "");
    if (capabilities.length === 0) throw localFailure("No capabilities found");
    const text = [...capabilities].sort(compareKeys).join(", ");
    return answer({ show: "text", text, data: capabilities });
  },
});
