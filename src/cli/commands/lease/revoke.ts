import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { wrapText } from "../../go-text.ts";
import { sentence } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";
import { revokeInParts } from "../../revocation-progress.ts";

const FORCE_WARNING = wrapText(
  "Warning! Force-removing leases can cause vsec to become out of sync with secret engines!",
);

interface Plan {
  readonly path: string;
  readonly body: { readonly sync: boolean } | null;
  readonly success: string;
  readonly failure: string;
}

/** Which request the flags come to, and what is said of it. */
function planFor(id: string, flags: { prefix: boolean; force: boolean; sync: boolean }): Plan {
  const { prefix, force, sync } = flags;
  if (force) {
    return {
      path: `sys/leases/revoke-force/${id}`,
      body: null,
      success: `Success! Force revoked any leases with prefix: ${id}`,
      failure: `Error force revoking leases with prefix ${id}`,
    };
  }
  const queued = "All revocation operations queued successfully!";
  if (prefix) {
    return {
      path: `sys/leases/revoke-prefix/${id}`,
      body: { sync },
      success: sync ? `Success! Revoked any leases with prefix: ${id}` : queued,
      failure: `Error revoking leases with prefix ${id}`,
    };
  }
  return {
    path: `sys/leases/revoke/${id}`,
    body: { sync },
    success: sync ? `Success! Revoked lease: ${id}` : queued,
    failure: `Error revoking lease ${id}`,
  };
}

export const command = defineCommand({
  usage: "[options] ID",
  description: `
Revokes a lease: its credential is removed where it was made.

    $ vsec lease revoke database/creds/readonly/2f6a614c4aa2b19ad24b9ad944a8d4de

All leases under a prefix:

    $ vsec lease revoke -prefix database/creds/readonly

Leases whose credentials cannot be removed any more, as a last resort:

    $ vsec lease revoke -force -prefix database/creds/gone`,
  flags: {
    prefix: {
      kind: "bool",
      attachedArgument: true,
      text: "Take ID as a prefix, and revoke every lease under it.",
    },
    force: {
      kind: "bool",
      aliases: ["f"],
      text: "Drop the leases even if their credentials cannot be removed. Needs -prefix.",
    },
    sync: { kind: "bool", text: "Wait until it is done, and fail if it fails." },
  },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    if (flags.force && !flags.prefix)
      throw localFailure("Specifying -force requires also specifying -prefix");
    const { path, body, success, failure } = planFor(dataPath(first), flags);
    if (flags.force && context.options.instead === undefined) await context.note(FORCE_WARNING);
    // For a person who watches; a script gets one request and one answer.
    const isWatched = flags.prefix && context.world.stderr.isTTY && context.options.instead === undefined;
    if (isWatched && (await revokeInParts(context, dataPath(first)))) return sentence(success);
    const request = { method: "PUT", path, ...(body === null ? {} : { body }) } as const;
    const response = await context.send(request, { prefix: failure });
    return sentence(success, bodyOf(response));
  },
});
