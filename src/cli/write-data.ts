import { contentOr } from "./answers.ts";
import type { CommandContext } from "./command-context.ts";
import { parseDataArguments } from "./data-args.ts";
import { localFailure } from "./failure.ts";
import type { Result } from "./outcome.ts";
import { dataPath } from "./paths.ts";

/** The flag that `write` and `patch` share. */
export const FORCE_FLAG = {
  force: { kind: "bool", aliases: ["f"], text: "Allow a request without any data." },
} as const;

/** What the two commands that send data do: they differ in their verb only. */
export async function writeData(
  context: CommandContext,
  method: "PUT" | "PATCH",
  force: boolean,
  [first = "", ...pairs]: readonly string[],
): Promise<Result> {
  if (pairs.length === 0 && !force) throw localFailure("Must supply data or use -force");
  const path = dataPath(first);
  const data = await parseDataArguments(pairs, context.sources);
  const body = pairs.length === 0 ? null : data;
  const wrap = path === "sys/wrapping/wrap" ? WRAPPING_TTL_SECONDS : true;
  const response = await context.send(
    { method, path, body },
    { prefix: `Error writing data to ${path}`, wrap },
  );
  return contentOr(response, `Success! Data written to: ${path}`);
}

/** How long `sys/wrapping/wrap` wraps for when nothing else is said. */
const WRAPPING_TTL_SECONDS = 300;
