import { homedir } from "node:os";
import { messageOf } from "../../../base/errors.ts";
import { type Env, readVariable } from "../../../contract/environment.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { sentence } from "../../outcome.ts";

/** The home directory for a leading `~`; another user's (`~ada`) is nothing that can be told from here. */
function expanded(path: string, env: Env): string {
  if (path !== "~" && !path.startsWith("~/")) return path;
  return `${readVariable(env, "HOME") ?? homedir()}${path.slice(1)}`;
}

/** Does a step of the work, and says what failed. */
async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localFailure(`${what}: ${messageOf(error)}`, error);
  }
}

export const command = defineCommand({
  usage: "[options] FILE",
  description: `
Rewrites a policy file in the usual form: indentation, spacing, and one line for each setting. Comments stay. Nothing is sent.

    $ vsec policy fmt apps-policy.hcl`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: false,
  async run({ world }, _flags, [first = ""]) {
    const path = expanded(first.trim(), world.env);
    const text = await step("Error reading source file", () => world.readFile(path));
    const { formatPolicy } = await import("../../../base/hcl/format.ts");
    const formatted = await step("failed to parse policy", () => formatPolicy(text));
    if (formatted !== text) await step("Error writing result", () => world.writeFile(path, formatted));
    return sentence(`Success! Formatted policy: ${path}`);
  },
});
