import { ApiError } from "../../base/errors.ts";
import { type Backend, path } from "../../framework/backend.ts";
import type { Services } from "../services.ts";
import { findCaller, lookupData } from "./store.ts";

/** The token auth method, `auth/token/`. */
export function tokenBackend(services: Services): Backend {
  const lookupSelf = {
    summary: "Show the caller's own token.",
    handler: async ({ clientToken }: { clientToken: string }) => {
      const caller = await findCaller(services.barrier, clientToken, services.clock.now());
      if (caller === null) throw new ApiError(403, "bad token");
      return { data: lookupData(clientToken, caller.record) };
    },
  };
  return {
    help: "The token method: what a caller's token is and may.",
    paths: [
      path({
        pattern: "lookup-self",
        fields: {},
        help: { synopsis: "Show the caller's own token." },
        operations: { read: lookupSelf, update: lookupSelf },
      }),
    ],
    secrets: [],
  };
}
