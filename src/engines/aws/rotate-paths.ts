import { type PathSpec, path } from "../../framework/backend.ts";
import type { AwsMount } from "./plan.ts";

/** `config/rotate-root`. @see reference: AWS rotate-root. */
export function rotatePaths(mount: AwsMount): PathSpec[] {
  return [
    path({
      pattern: "config/rotate-root",
      fields: {},
      help: {
        synopsis: "Replace the access key of config/root by one that only this store knows.",
        description:
          "The new key is proved before the old one is deleted. The user may have one key only, because AWS allows two, and " +
          "needs iam:GetUser, ListAccessKeys, CreateAccessKey and DeleteAccessKey on itself.",
      },
      operations: {
        update: {
          summary: "Rotate the root key.",
          handler: async () => {
            const { rotateRoot } = await import("./root-rotation.ts");
            return { data: { access_key: await rotateRoot(mount) } };
          },
        },
      },
    }),
  ];
}
