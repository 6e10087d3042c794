import { formatGoDuration } from "../../../base/duration.ts";
import { bodyOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options]",
  description: `
Creates a token: a child of the one in use, with its policies unless others are given. It ends with its parent.

A token for an application, which may do what its policy says for an hour:

    $ vsec token create -policy=apps -ttl=1h

By a role, and for a program that renews it:

    $ vsec token create -role=ci -period=24h`,
  flags: {
    id: { kind: "string", text: "The token itself. Absent: a random one. Needs sudo." },
    "display-name": { kind: "string", text: "A name for logs, and for the users that engines make." },
    ttl: { kind: "duration", text: "How long the token lives unless it is renewed." },
    "explicit-max-ttl": {
      kind: "duration",
      text: "How long the token can live at most, however often it is renewed.",
    },
    period: {
      kind: "duration",
      text: "Each renewal makes it live this long again, without an end. Needs sudo.",
    },
    renewable: { kind: "bool", default: true, text: "Let the token be renewed." },
    orphan: { kind: "bool", text: "Without a parent, so that it does not end with one. Needs sudo." },
    "no-default-policy": { kind: "bool", text: 'Without the policy "default".' },
    "use-limit": { kind: "int", text: "How many requests the token is good for. Absent or 0: any number." },
    role: { kind: "string", text: "The token role to create it by." },
    type: {
      kind: "string",
      text: 'The type of the token. Absent: "service". A batch token is stored nowhere and cannot be renewed.',
      words: ["service", "batch"],
    },
    metadata: { kind: "map", text: "A key and a value that audit devices show. May be repeated." },
    policy: { kind: "list", text: "A policy of the token. May be repeated. Absent: those of the parent." },
    "entity-alias": { kind: "string", text: "The alias whose entity the token belongs to. Needs -role." },
  },
  args: { min: 0, max: 0 },
  output: { format: true, field: true },
  requests: true,
  async run(context, flags) {
    const type = flags.type ?? "service";
    const role = dataPath(flags.role ?? "");
    const body = {
      ...(flags.id === undefined ? {} : { id: flags.id }),
      ...(flags.policy.length === 0 ? {} : { policies: flags.policy }),
      ...(Object.keys(flags.metadata).length === 0 ? {} : { meta: flags.metadata }),
      ttl: formatGoDuration(flags.ttl ?? 0),
      explicit_max_ttl: formatGoDuration(flags["explicit-max-ttl"] ?? 0),
      period: formatGoDuration(flags.period ?? 0),
      ...(flags.orphan ? { no_parent: true } : {}),
      ...(flags["no-default-policy"] ? { no_default_policy: true } : {}),
      display_name: flags["display-name"] ?? "",
      num_uses: flags["use-limit"] ?? 0,
      renewable: type === "batch" ? false : flags.renewable,
      type,
      entity_alias: flags["entity-alias"] ?? "",
    };
    const path = role === "" ? "auth/token/create" : `auth/token/create/${role}`;
    const response = await context.send(
      { method: "POST", path, body },
      { prefix: "Error creating token", wrap: true },
    );
    return answer({ show: "secret", body: bodyOf(response) ?? {} });
  },
});
