import { type MountContext, type PathSpec, path } from "../../../framework/backend.ts";
import { CRL_CONFIG_FIELDS, checkCrlConfig, readCrlConfig, writeCrlConfig } from "./config.ts";
import { rebuildAll } from "./rebuild.ts";

/** `config/crl`, `crl/rotate` and `crl/rotate-delta`. @see reference: CRL. */
export function crlPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  return [
    path({
      pattern: "config/crl",
      fields: CRL_CONFIG_FIELDS,
      help: { synopsis: "Show or change how CRLs and OCSP answers are made." },
      operations: {
        read: {
          summary: "Show the settings.",
          handler: async () => ({ data: { ...(await readCrlConfig(storage)) } }),
        },
        update: {
          summary: "Change the given settings, and rebuild the CRLs.",
          handler: async ({ given }) => {
            const config = { ...(await readCrlConfig(storage)), ...given };
            checkCrlConfig(config);
            await writeCrlConfig(storage, config);
            await rebuildAll(context);
            return { data: { ...config } };
          },
        },
      },
    }),
    path({
      pattern: "crl/rotate",
      fields: {},
      help: { synopsis: "Rebuild the CRLs of all issuers now." },
      operations: {
        read: {
          summary: "Rebuild the CRLs.",
          handler: async () => {
            await rebuildAll(context);
            return { data: { success: true } };
          },
        },
      },
    }),
    path({
      pattern: "crl/rotate-delta",
      fields: {},
      help: { synopsis: "Rebuild the delta CRLs of all issuers now." },
      operations: {
        read: {
          summary: "Rebuild the delta CRLs.",
          handler: async () => {
            const { enable_delta: hasDeltas } = await readCrlConfig(storage);
            if (hasDeltas) await rebuildAll(context, "delta");
            const warnings = hasDeltas
              ? []
              : ["requested rebuild of delta CRL when delta CRL is not enabled; this is a no-op"];
            return { data: { success: true }, warnings };
          },
        },
      },
    }),
  ];
}
