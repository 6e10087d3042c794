import { type MountContext, type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { Connections } from "./connections.ts";
import { rotateRoot } from "./root-rotation.ts";

/** `rotate-root/:name`. @see reference: database engine, rotate-root. */
export function rotatePaths(context: MountContext, connections: Connections): PathSpec[] {
  return [
    path({
      pattern: "rotate-root/:name",
      fields: { name: field.string({ description: "The connection's name." }) },
      help: {
        synopsis: "Give the administrator of a connection a new password that only this store knows.",
        description:
          "The old password does not come back, so use an administrator that nothing else logs in as.",
      },
      operations: {
        update: {
          summary: "Rotate the administrator's password.",
          handler: async ({ values }) => {
            await rotateRoot(context, connections, values.name);
            return undefined;
          },
        },
      },
    }),
  ];
}
