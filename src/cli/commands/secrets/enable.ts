import { defineCommand } from "../../command.ts";
import { enabledTtl, givenSettings, MOUNT_FLAGS, mountOptions } from "../../mount-options.ts";
import { sentence } from "../../outcome.ts";
import { dataPath, mountPath } from "../../paths.ts";

export const command = defineCommand({
  usage: "[options] TYPE",
  description: `
Enables a secrets engine. It is mounted at a path of its own, by default its type.

    $ vsec secrets enable database

The same engine once more, for another team:

    $ vsec secrets enable -path=billing-db -max-lease-ttl=8h database`,
  flags: {
    path: { kind: "string", text: "Where to mount it. Absent: at its type." },
    ...MOUNT_FLAGS,
    "force-no-cache": { kind: "bool", text: "Do not cache what this engine stores." },
    local: { kind: "bool", text: "Accepted for compatibility: there is no replication." },
    "seal-wrap": { kind: "bool", text: "Encrypt critical values once more by the seal." },
    "external-entropy-access": { kind: "bool", text: "Let the engine use an external source of randomness." },
    "plugin-name": { kind: "string", text: 'The plugin, when TYPE is "plugin".' },
  },
  args: { min: 1, max: 1 },
  output: {},
  requests: true,
  async run(context, flags, [first = ""]) {
    const given = first.trim();
    const type = given === "plugin" && flags["plugin-name"] !== undefined ? flags["plugin-name"] : given;
    const path = dataPath(flags.path ?? type);
    const body = {
      type,
      description: flags.description ?? "",
      config: {
        options: null,
        default_lease_ttl: enabledTtl(flags["default-lease-ttl"]),
        max_lease_ttl: enabledTtl(flags["max-lease-ttl"]),
        force_no_cache: flags["force-no-cache"],
        ...givenSettings(flags),
      },
      local: flags.local,
      seal_wrap: flags["seal-wrap"],
      external_entropy_access: flags["external-entropy-access"],
      options: mountOptions(flags),
    };
    await context.send({ method: "POST", path: `sys/mounts/${path}`, body }, { prefix: "Error enabling" });
    const version = flags["plugin-version"];
    const engine = version === undefined ? "engine" : `engine version ${version}`;
    return sentence(`Success! Enabled the ${type} secrets ${engine} at: ${mountPath(path)}`);
  },
});
