import { defineCommand } from "../../command.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { fetchIssuer } from "../../pki/issuer.ts";
import { relationOf } from "../../pki/signed-by.ts";

export const command = defineCommand({
  usage: "[options] ISSUER ISSUED",
  description: `
Tells whether one issuer has signed another's certificate. Both are given as mount/issuer/issuer-ref.

    $ vsec pki verify-sign pki_root/issuer/root pki_int/issuer/default`,
  flags: {},
  output: { format: true },
  requests: true,
  async run(context, _flags, args) {
    const [first = "", second = ""] = args;
    if (args.length < 2)
      throw localFailure(
        `Not enough arguments (expected potential issuer and issued, got ${args.length} arguments)`,
      );
    if (args.length > 2)
      throw localFailure(
        `Too many arguments (expected only potential issuer and issued, got ${args.length})`,
      );
    const issuer = await fetchIssuer(context, first);
    const issued = await fetchIssuer(context, second);
    const relation = relationOf(issuer, issued);
    const rows = Object.entries(relation)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, String(value)]);
    const named = [`issuer:${issuer.path}`, `issued:${issued.path}`];
    return answer(
      ...(context.options.format === "table"
        ? named.map((text) => ({ show: "line", text, when: "table" }) as const)
        : []),
      { show: "line", text: "", when: "table" },
      { show: "table", header: ["field", "value"], rows, data: { ...relation } },
    );
  },
});
