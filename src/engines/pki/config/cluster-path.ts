import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { isUri } from "../issue/requested.ts";
import { type Cluster, readCluster, writeCluster } from "../issuers/urls.ts";

/** `config/cluster`. @see reference: PKI configuration. */
export function clusterPath({ storage }: MountContext): PathSpec {
  const describe = ({ path: own, aiaPath }: Cluster): JsonObject => ({ path: own, aia_path: aiaPath });
  return path({
    pattern: "config/cluster",
    fields: {
      path: field.string({ description: "The URL of this mount, such as https://host/v1/pki." }),
      aia_path: field.string({ description: "The URL of this mount for reading what is published." }),
    },
    help: { synopsis: "Show or change under which URLs this mount is reached." },
    operations: {
      read: {
        summary: "Show the URLs.",
        handler: async () => ({ data: describe(await readCluster(storage)) }),
      },
      update: {
        summary: "Change the given URLs.",
        handler: async ({ given }) => {
          const present = await readCluster(storage);
          const cluster = { path: given.path ?? present.path, aiaPath: given.aia_path ?? present.aiaPath };
          for (const url of Object.values(cluster)) {
            if (url !== "" && !isUri(url)) throw badRequest(`invalid, non-URL path given to cluster: ${url}`);
          }
          await writeCluster(storage, cluster);
          return { data: describe(cluster) };
        },
      },
    },
  });
}
