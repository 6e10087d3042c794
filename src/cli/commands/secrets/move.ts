import { isJsonObject } from "../../../base/json.ts";
import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { answer, sentence } from "../../outcome.ts";
import { mountPath } from "../../paths.ts";

const POLL_MS = 10_000;

/** Waits until a move has ended. True: it succeeded. */
async function waitForEnd(context: CommandContext, id: string, subject: string): Promise<boolean> {
  for (;;) {
    const response = await context.send(
      { method: "GET", path: `sys/remount/status/${id}` },
      { prefix: `Error checking migration status of secrets engine ${subject}` },
    );
    const info = dataOf(response).migration_info;
    const status = isJsonObject(info) ? info.status : undefined;
    if (status === "success") return true;
    if (status === "failure") return false;
    await context.progress(
      `Waiting for terminal status in migration of secrets engine ${subject}, with migration ID ${id}`,
    );
    await context.world.clock.sleep(POLL_MS);
  }
}

export const command = defineCommand({
  usage: "[options] SOURCE DESTINATION",
  description: `
Moves a secrets engine to another path, and waits until that is done. Its leases are revoked; its configuration stays.

    $ vsec secrets move database/ billing-db/`,
  flags: {},
  args: { min: 2, max: 2 },
  output: {},
  requests: true,
  async run(context, _flags, [source = "", destination = ""]) {
    const from = mountPath(source);
    const to = mountPath(destination);
    const subject = `${from} to ${to}`;
    const response = await context.send(
      { method: "POST", path: "sys/remount", body: { from, to } },
      { prefix: `Error moving secrets engine ${subject}` },
    );
    const id = String(dataOf(response).migration_id ?? "");
    await context.progress(`Started moving secrets engine ${subject}, with migration ID ${id}`);
    if (await waitForEnd(context, id, subject))
      return sentence(`Success! Finished moving secrets engine ${subject}, with migration ID ${id}`);
    // Vault exits with 0 here as well; scripts read the line.
    await context.note(
      `Failure! Error encountered moving secrets engine ${subject}, with migration ID ${id}`,
    );
    return answer();
  },
});
