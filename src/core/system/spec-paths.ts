import { type PathSpec, path } from "../../framework/backend.ts";
import type { MountedBackend } from "../../framework/openapi.ts";
import type { Services } from "../services.ts";

/** `sys/internal/specs/openapi`: what is mounted, as an OpenAPI document made from the engines' declarations. */
export function specPaths(services: Services): PathSpec[] {
  return [
    path({
      pattern: "internal/specs/openapi",
      fields: {},
      help: { synopsis: "The OpenAPI document of everything that is mounted." },
      operations: {
        read: {
          summary: "Generate the OpenAPI document.",
          handler: async () => {
            const { openapiDocument } = await import("../../framework/openapi.ts");
            const { API_INFO } = await import("../help.ts");
            return { bare: openapiDocument(await everything(services), API_INFO) };
          },
        },
      },
    }),
  ];
}

async function everything({ mounts }: Services): Promise<MountedBackend[]> {
  const entries = (await mounts.table.entries()).filter((entry) => !entry.retired);
  const engines = await Promise.all(
    entries.map(async (entry) => ({
      mountPath: entry.path,
      backend: (await mounts.load(entry)).backend,
    })),
  );
  const own = await Promise.all(
    mounts.builtins.paths.map(async (mountPath) => ({
      mountPath,
      backend: await mounts.builtins.at(mountPath),
    })),
  );
  return [...own, ...engines];
}
