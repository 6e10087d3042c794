import { type PathSpec, path } from "../../framework/backend.ts";
import type { TokenContext } from "./context.ts";
import { tidyTokens } from "./tidy.ts";

const STARTED =
  "Tidy operation successfully started. Any information from the operation will be printed to Vault's server logs.";

/** `tidy`. The answer comes when it is done: a command has no background to leave it to. */
export function tidyPath({ services }: TokenContext): PathSpec {
  let isRunning = false;
  return path({
    pattern: "tidy",
    fields: {},
    help: { synopsis: "Look for what tokens that are gone have left behind, and clear it away." },
    operations: {
      update: {
        summary: "Clear away what tokens that are gone have left behind.",
        handler: async () => {
          if (isRunning) return { status: 202, warnings: ["Tidy operation already in progress."] };
          isRunning = true;
          try {
            services.log.info("tokens tidied", { ...(await tidyTokens(services)) });
          } finally {
            isRunning = false;
          }
          return { status: 202, warnings: [STARTED] };
        },
      },
    },
  });
}
