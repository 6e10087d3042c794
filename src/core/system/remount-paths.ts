import type { JsonObject } from "../../base/json.ts";
import { randomUuid } from "../../base/random.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { moveMount } from "../mounts/admin.ts";
import type { Services } from "../services.ts";
import { leftBehind } from "./mount-paths.ts";

const KEY = "core/migrations/";

/** `sys/remount`: moving a mount. The move is done when the first answer comes; the status path is there for clients that ask. */
export function remountPaths(services: Services): PathSpec[] {
  const { barrier, random } = services;
  return [
    path({
      pattern: "remount",
      sudo: true,
      fields: {
        from: field.string({ description: "The mount's present path." }),
        to: field.string({ description: "Its new path." }),
      },
      help: { synopsis: "Move a mount to another path. Its leases are revoked." },
      operations: {
        update: {
          summary: "Move a mount.",
          handler: async ({ values }) => {
            const retirement = await moveMount(services, values.from, values.to);
            const id = randomUuid(random);
            const info = { source_mount: values.from, target_mount: values.to, status: "success" };
            const value = new TextEncoder().encode(JSON.stringify(info));
            await barrier.commit([{ op: "put", key: KEY + id, value }]);
            const warnings = ["Mount move has been queued. Progress will be reported in the daemon's log."];
            return { data: { migration_id: id }, warnings: leftBehind(retirement)?.warnings ?? warnings };
          },
        },
      },
    }),
    path({
      pattern: "remount/status/:migration_id",
      fields: { migration_id: field.string({ description: "The id that the move was answered with." }) },
      help: { synopsis: "Show how far a move is." },
      operations: {
        read: {
          summary: "Show how far a move is.",
          handler: async ({ values }) => {
            const entry = await barrier.get(KEY + values.migration_id);
            if (entry === null) return undefined;
            const info = JSON.parse(Buffer.from(entry.value).toString("utf8")) as JsonObject;
            return { data: { migration_id: values.migration_id, migration_info: info } };
          },
        },
      },
    }),
  ];
}
