import { type MountContext, type PathSpec, path, type Reply } from "../../../framework/backend.ts";
import { field } from "../../../framework/field.ts";
import { answerOcsp } from "./answer.ts";

const REQUEST_TYPE = "application/ocsp-request";
const RESPONSE_TYPE = "application/ocsp-response";

const HELP = {
  synopsis: "Tell whether certificates are revoked.",
  description: "An OCSP responder (RFC 6960) for what the issuers of this mount have issued.",
};

/** `ocsp`, asked by POST or, in base64, by GET. Neither needs a token. */
export function ocspPaths(context: MountContext): readonly PathSpec[] {
  return [
    path({
      pattern: "ocsp",
      fields: {},
      unauthenticated: true,
      takesContent: REQUEST_TYPE,
      help: HELP,
      operations: {
        update: {
          summary: "Answer an OCSP request.",
          handler: ({ content }) => reply(context, content ?? Buffer.alloc(0)),
        },
      },
    }),
    path({
      pattern: "ocsp/*req",
      fields: { req: field.string({ description: "The request, in base64.", required: true }) },
      unauthenticated: true,
      help: HELP,
      operations: {
        read: {
          summary: "Answer an OCSP request.",
          // Both alphabets of base64 are taken.
          handler: ({ values }) => reply(context, Buffer.from(values.req, "base64")),
        },
      },
    }),
  ];
}

async function reply(context: MountContext, request: Uint8Array): Promise<Reply> {
  const { status, der } = await answerOcsp(context, request);
  return { status, bytes: der, contentType: RESPONSE_TYPE };
}
