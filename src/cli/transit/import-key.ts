import { decodeBase64 } from "../../base/base64.ts";
import { messageOf } from "../../base/errors.ts";
import { EXIT } from "../../contract/exit-codes.ts";
import type { ApiResponse } from "../../contract/wire.ts";
import { dataOf } from "../answers.ts";
import type { Command } from "../command.ts";
import type { CommandContext } from "../command-context.ts";
import { parseDataArguments } from "../data-args.ts";
import { CommandFailure, localFailure } from "../failure.ts";
import { answer, type Result } from "../outcome.ts";
import type { CommandRequest } from "../request.ts";
import { wrapKey } from "./wrap-key.ts";

const PATH = /^\/?(.+)\/keys\/([^/]+)\/?$/;

/** What `transit import` and `transit import-version` have in common. */
export const IMPORT_COMMAND = {
  usage: "[options] PATH KEY [K=V...]",
  flags: {},
  output: {},
  requests: true,
} as const satisfies Partial<Command<Record<string, never>>>;

/**
 * Brings a key in: fetches the wrapping key, wraps the key for it, and sends the result. The key itself is never sent.
 * @param endpoint - Below the key's path.
 * @throws CommandFailure: exit 1 for wrong arguments, 2 for what fails here, 3 for what the API refuses.
 * @see reference: command line, transit.
 */
export async function importKey(
  context: CommandContext,
  endpoint: "import" | "import_version",
  args: readonly string[],
): Promise<Result> {
  const [path = "", material = "", ...pairs] = args;
  if (args.length < 2) {
    throw localFailure(
      `Incorrect argument count (expected 2+, got ${args.length}). Wanted PATH to import into and KEY material.`,
    );
  }
  const [, mount, name] = PATH.exec(path) ?? [];
  if (mount === undefined || name === undefined) {
    throw localFailure("expected transit path and key name in the form :path:/keys/:name:");
  }
  const key = await readMaterial(context, material);
  const data = await parseDataArguments(pairs, context.sources);
  await context.progress("Retrieving wrapping key.");
  const fetched = await send(
    context,
    { method: "GET", path: `${mount}/wrapping_key` },
    "failed to fetch wrapping key: ",
  );
  await context.progress("Wrapping source key with ephemeral key.");
  const steps = await wrapKey(key);
  key.fill(0);
  await context.progress("Encrypting ephemeral key with wrapping key.");
  const wrapped = Buffer.concat([steps.encryptKey(String(dataOf(fetched).public_key)), steps.wrappedKey]);
  await context.progress("Submitting wrapped key.");
  const body = { ...data, ciphertext: wrapped.toString("base64") };
  await send(
    context,
    { method: "PUT", path: `${mount}/keys/${name}/${endpoint}`, body },
    "failed to call import:",
  );
  await context.progress("Success!");
  return answer();
}

/** The key's bytes, from base64 in the argument itself or in a file. The texts show nothing of it. */
async function readMaterial({ world }: CommandContext, argument: string): Promise<Buffer> {
  let text = argument;
  if (argument.startsWith("@")) {
    try {
      text = await world.readFile(argument.slice(1));
    } catch (error) {
      throw localFailure(`error reading key material file: ${messageOf(error)}`, error);
    }
  }
  try {
    return decodeBase64(text.trim());
  } catch (error) {
    throw localFailure(`error base64 decoding source key material: ${messageOf(error)}`, error);
  }
}

/** Sends a request whose failure is exit 3. @param prefix - Stands before the failure's text, as it is. */
async function send(context: CommandContext, request: CommandRequest, prefix: string): Promise<ApiResponse> {
  try {
    return await context.send(request, { prefix: "", beforehand: request.method === "GET" });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(EXIT.importRefused.code, `${prefix}${error.message}`, { cause: error });
  }
}
