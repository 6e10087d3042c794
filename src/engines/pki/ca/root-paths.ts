import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import type { CaSet } from "../issuers/change.ts";
import { CA_ISSUE_FIELDS, CA_KEY_FIELDS, CA_NAME_FIELDS } from "./fields.ts";
import { generateRoot } from "./root.ts";

const FIELDS = { ...CA_NAME_FIELDS, ...CA_KEY_FIELDS, ...CA_ISSUE_FIELDS };

/** `root/generate`, `root/rotate`, `issuers/generate/root`. @see reference: PKI roots. */
export function rootPaths(context: MountContext): PathSpec[] {
  const generate = (pattern: string): PathSpec =>
    path({
      pattern,
      fields: FIELDS,
      help: {
        synopsis: "Make a root certificate and its key.",
        description: "It becomes one more issuer; the first one becomes the default. What was there stays.",
      },
      operations: {
        update: { summary: "Make a root.", handler: ({ values }) => generateRoot(context, values) },
      },
    });
  return [
    generate("root/generate/:exported"),
    generate("issuers/generate/root/:exported"),
    path({
      pattern: "root/rotate/:exported",
      fields: FIELDS,
      help: { synopsis: "Make the next root, which is called next until it becomes the default." },
      operations: {
        update: {
          summary: "Make the next root.",
          handler: ({ values }) =>
            generateRoot(context, values, (set) => values.issuer_name || freeName(set, "next")),
        },
      },
    }),
  ];
}

/** The name, unless another issuer has it. */
function freeName({ issuers }: CaSet, name: string): string {
  return issuers.some((issuer) => issuer.name === name) ? "" : name;
}
