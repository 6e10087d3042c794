import { isJsonObject, type JsonObject } from "../base/json.ts";
import { bodyOf, dataOf } from "./answers.ts";
import type { CommandContext } from "./command-context.ts";
import { answer, type Result, sentence } from "./outcome.ts";
import { mountPath } from "./paths.ts";

const POLL_MS = 10_000;
/** How Vault's warning begins that comes with every move. */
const QUEUED = "Mount move has been queued";

/**
 * Moves a mount to another path, and waits until that is done.
 * @param what - What messages call the mount: `secrets engine`.
 */
export async function moveMount(
  context: CommandContext,
  what: string,
  [source = "", destination = ""]: readonly string[],
): Promise<Result> {
  const from = mountPath(source);
  const to = mountPath(destination);
  const subject = `${what} ${from} to ${to}`;
  const response = await context.send(
    { method: "POST", path: "sys/remount", body: { from, to } },
    { prefix: `Error moving ${subject}` },
  );
  const id = String(dataOf(response).migration_id ?? "");
  await context.progress(`Started moving ${subject}, with migration ID ${id}`);
  if (await waitForEnd(context, id, subject))
    return sentence(
      `Success! Finished moving ${subject}, with migration ID ${id}`,
      withoutQueued(bodyOf(response)),
    );
  // Vault exits with 0 here as well; scripts read the line.
  await context.note(`Failure! Error encountered moving ${subject}, with migration ID ${id}`);
  return answer();
}

/** An answer without the warning that the move has only begun: who reads this has waited for its end. */
function withoutQueued(body: JsonObject = {}): JsonObject {
  const warnings = Array.isArray(body.warnings) ? body.warnings : [];
  return { ...body, warnings: warnings.filter((text) => !String(text).startsWith(QUEUED)) };
}

/** Waits until a move has ended. True: it succeeded. */
async function waitForEnd(context: CommandContext, id: string, subject: string): Promise<boolean> {
  for (;;) {
    const response = await context.send(
      { method: "GET", path: `sys/remount/status/${id}` },
      { prefix: `Error checking migration status of ${subject}` },
    );
    const info = dataOf(response).migration_info;
    const status = isJsonObject(info) ? info.status : undefined;
    if (status === "success") return true;
    if (status === "failure") return false;
    await context.progress(`Waiting for terminal status in migration of ${subject}, with migration ID ${id}`);
    await context.world.clock.sleep(POLL_MS);
  }
}
