import { dataOf } from "../../answers.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";
import { dataPath } from "../../paths.ts";
import { fetchIssuer, type Issuer, issuersOf, parseIssuerPath } from "../../pki/issuer.ts";
import { type Relation, relationOf } from "../../pki/signed-by.ts";

export const command = defineCommand({
  usage: "[options] PARENT [CHILD...]",
  description: `
Lists which issuers the PARENT, given as mount/issuer/issuer-ref, has signed. A CHILD is an issuer, or a mount, whose issuers
are all looked at; without any, those of every pki mount are.

    $ vsec pki list-intermediates pki_root/issuer/default pki_int

The flags say what an issuer has to agree in to count as signed.`,
  flags: {
    subject_match: { kind: "bool", default: true, text: "The issuer's name has to be the parent's subject." },
    key_id_match: { kind: "bool", default: true, text: "The issuer's key id has to be the parent's." },
    direct_sign: { kind: "bool", default: true, text: "The parent's key has to have signed it directly." },
    indirect_sign: {
      kind: "bool",
      default: true,
      text: "The parent's key has to have signed it, directly or through its chain.",
    },
    path_match: { kind: "bool", default: false, text: "The parent has to be in its chain." },
    use_names: { kind: "bool", default: false, text: "Show issuers by their names, where they have one." },
  },
  output: { format: true },
  requests: true,
  async run(context, flags, [parentPath = "", ...children]) {
    if (parentPath === "")
      throw localFailure("Not enough arguments (expected potential parent, got nothing)");
    const parent = await fetchIssuer(context, parentPath);
    const wanted = wantedOf(flags);
    const matches = new Map<string, boolean>();
    for (const child of await childrenOf(context, children, flags.use_names)) {
      if (child.id === parent.id && child.certificate.raw.equals(parent.certificate.raw)) continue;
      const relation = relationOf(parent, child);
      matches.set(
        child.path,
        wanted.every((field) => relation[field]),
      );
    }
    const sorted = [...matches].sort(([a], [b]) => (a < b ? -1 : 1));
    return answer({
      show: "table",
      header: ["intermediate", "match?"],
      rows: sorted.map(([path, isMatch]) => [path, String(isMatch)]),
      data: Object.fromEntries(sorted),
    });
  },
});

interface MatchFlags {
  readonly subject_match: boolean;
  readonly key_id_match: boolean;
  readonly direct_sign: boolean;
  readonly indirect_sign: boolean;
  readonly path_match: boolean;
}

function wantedOf(flags: MatchFlags): readonly (keyof Relation)[] {
  const fields: readonly [boolean, keyof Relation][] = [
    [flags.subject_match, "subject_match"],
    [flags.key_id_match, "key_id_match"],
    [flags.direct_sign, "signature_match"],
    [flags.indirect_sign, "trust_match"],
    [flags.path_match, "path_match"],
  ];
  return fields.filter(([isWanted]) => isWanted).map(([, field]) => field);
}

async function childrenOf(
  context: CommandContext,
  children: readonly string[],
  usesNames: boolean,
): Promise<readonly Issuer[]> {
  const places = children.length > 0 ? children : await pkiMounts(context);
  const found: Issuer[] = [];
  for (const place of places) {
    if (parseIssuerPath(place) === null) found.push(...(await issuersOf(context, place, usesNames)));
    else found.push(await fetchIssuer(context, place));
  }
  return found;
}

async function pkiMounts(context: CommandContext): Promise<readonly string[]> {
  const response = await context.send(
    { method: "GET", path: "sys/mounts" },
    { prefix: "Error listing secrets engines" },
  );
  return Object.entries(dataOf(response))
    .filter(
      ([, mount]) => typeof mount === "object" && mount !== null && "type" in mount && mount.type === "pki",
    )
    .map(([path]) => dataPath(path));
}
