import { isJsonObject, type JsonObject } from "../base/json.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { bodyOf } from "./answers.ts";
import type { CommandContext } from "./command-context.ts";
import { remoteFailure } from "./failure.ts";
import { answer, type Result } from "./outcome.ts";
import { isNothing } from "./request.ts";

/** Lists what is under a path, for the commands that do. @param path - Without slashes at its ends. */
export async function listPath(context: CommandContext, path: string): Promise<Result> {
  const { format, detailed } = context.options;
  const response = await context.send(
    { method: "LIST", path },
    { prefix: `Error listing ${path}`, wrap: true, nothingIsAnswer: true },
  );
  const body = bodyOf(response);
  if (body === undefined || isNothing(response)) return nothingListed(format, `No value found at ${path}`);
  const hasKeys = isJsonObject(body.data) && Array.isArray(body.data.keys);
  if (!hasKeys && !isJsonObject(body.wrap_info))
    return nothingListed(format, `No entries found at ${path}`, body);
  return answer({ show: "keys", body, detailed });
}

/** Programs get an empty object where there is nothing to list, people a sentence and the warnings; the exit code tells both. */
function nothingListed(format: string, text: string, body: JsonObject = {}): Result {
  if (format === "table") throw remoteFailure(text, { outcome: { show: "secret", body } });
  return { outcomes: [{ show: "text", text: "", data: {} }], exitCode: EXIT.remote.code };
}
