import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import type { Services } from "../services.ts";

/** `sys/key-status` and `sys/rotate`: the barrier's encryption key. */
export function keyPaths({ barrier }: Services): PathSpec[] {
  const status = async (): Promise<JsonObject> => {
    const { term, installedAt, encryptions } = await barrier.keyStatus();
    return { term, install_time: new Date(installedAt).toISOString(), encryptions };
  };
  return [
    path({
      pattern: "key-status",
      fields: {},
      help: { synopsis: "Show the barrier's present encryption key: its term, age and use." },
      operations: {
        read: {
          summary: "Show the encryption key's status.",
          handler: async () => ({ data: await status() }),
        },
      },
    }),
    path({
      pattern: "rotate",
      sudo: true,
      fields: {},
      help: { synopsis: "Add an encryption key. What is written from now on is encrypted with it." },
      operations: {
        update: {
          summary: "Rotate the barrier's encryption key.",
          handler: async () => {
            await barrier.rotate();
            return undefined;
          },
        },
      },
    }),
  ];
}
