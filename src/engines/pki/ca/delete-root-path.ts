import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { changeCas } from "../issuers/change.ts";

/** `root`: deleting it removes all issuers and keys. @see reference: roots. */
export function deleteRootPath(context: MountContext): PathSpec {
  return path({
    pattern: "root",
    sudo: true,
    fields: {},
    help: {
      synopsis: "Delete all issuers and keys.",
      description: "Certificates that were issued, roles and settings stay.",
    },
    operations: {
      delete: {
        summary: "Delete all issuers and keys.",
        handler: async () => {
          await changeCas(context, (present) => ({
            set: { ...present, issuers: [], keys: [], defaultIssuer: "", defaultKey: "" },
            result: null,
          }));
          return undefined;
        },
      },
    },
  });
}
