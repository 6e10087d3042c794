import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { type Fields, field } from "../../framework/field.ts";

/** The paths of version 1 on a mount of version 2: they are told what to use instead. @see reference: key/value, version 2. */
export function wrongPaths(): PathSpec[] {
  const here = { path: field.string({ description: "A path as version 1 has them." }) };
  return [wrongPath("*path", here), wrongPath("", {})];
}

function wrongPath(pattern: string, fields: Fields): PathSpec {
  const refused = (verb: string) => ({
    summary: `Refused: the paths of a versioned mount begin with data or metadata. \`vsec kv ${verb}\` knows them.`,
    handler: async (): Promise<Reply> => ({ status: 404, warnings: [textFor(verb)] }),
  });
  return path({
    pattern,
    fields,
    takesAnyField: true,
    help: { synopsis: "No secret: the paths of a versioned mount begin with data or metadata." },
    operations: {
      read: refused("get"),
      update: refused("put"),
      patch: refused("patch"),
      delete: refused("delete"),
      list: refused("list"),
    },
  });
}

function textFor(verb: string): string {
  return (
    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. " +
    `If using the vsec CLI, use 'vsec kv ${verb}' for this operation.`
  );
}
