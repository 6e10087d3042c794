import { type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { DIRECTORY_PATTERNS, directoryFields, directoryOf } from "./directory.ts";
import { commonHeaders } from "./endpoint.ts";
import { AcmeProblem, jsonReply, problemReply } from "./problem.ts";
import { type AcmeService, type OpenDirectory, openDirectory } from "./service.ts";

/** What every client begins with: the directory and a nonce (RFC 8555 sections 7.1.1 and 7.2). */
export function directoryPaths(service: AcmeService): readonly PathSpec[] {
  return DIRECTORY_PATTERNS.flatMap((pattern) => [
    openPath(service, `${pattern}/directory`, "Show where things are.", (open) =>
      jsonReply(200, describeDirectory(open)),
    ),
    // The standard has 200 for HEAD, and 204 for GET.
    openPath(service, `${pattern}/new-nonce`, "Get a nonce.", (open, isHead) =>
      jsonReply(isHead ? 200 : 204, null, commonHeaders(service, open)),
    ),
  ]);
}

function openPath(
  service: AcmeService,
  pattern: string,
  summary: string,
  reply: (open: OpenDirectory, isHead: boolean) => Reply,
): PathSpec {
  return path({
    pattern,
    fields: directoryFields(pattern),
    unauthenticated: true,
    answersHead: true,
    help: { synopsis: summary },
    operations: {
      read: {
        summary,
        handler: async ({ values, isHead }) => {
          try {
            return reply(await openDirectory(service, directoryOf(values)), isHead);
          } catch (error) {
            if (error instanceof AcmeProblem) return problemReply(error);
            throw error;
          }
        },
      },
    },
  });
}

function describeDirectory({ url, config }: OpenDirectory) {
  return {
    newNonce: `${url}/new-nonce`,
    newAccount: `${url}/new-account`,
    newOrder: `${url}/new-order`,
    revokeCert: `${url}/revoke-cert`,
    keyChange: `${url}/key-change`,
    meta: { externalAccountRequired: config.eab_policy !== "not-required" },
  };
}
