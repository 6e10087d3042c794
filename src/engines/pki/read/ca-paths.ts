import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../../framework/backend.ts";
import type { Fields } from "../../../framework/field.ts";
import { chainDer } from "../issue/answer.ts";
import { ISSUER_FIELD } from "../issue/fields.ts";
import { chainPem } from "../issuers/describe.ts";
import { chainRecords, type IssuerRecord, readAuthority } from "../issuers/record.ts";
import { findIssuer, requireIssuer } from "../issuers/resolve.ts";
import { certificateDer, certificatesPem, NOTHING, unlessKnown } from "./raw.ts";

/** `ca`, `ca/pem`, `ca_chain`, `cert/ca`, `cert/ca_chain`, and the same of one issuer. @see reference: raw reads. */
export function caPaths(context: MountContext): PathSpec[] {
  const { storage } = context;
  const ofDefault = async (
    request: Asked,
    show: (issuer: IssuerRecord) => Reply | Promise<Reply>,
  ): Promise<Reply> => {
    const issuer = await findIssuer(storage, "default");
    return issuer === null ? NOTHING : unlessCasAreKnown(context, request, await show(issuer));
  };
  const own = (issuer: IssuerRecord): Buffer => Buffer.from(issuer.certificate, "base64");
  const chain = async (issuer: IssuerRecord) =>
    certificatesPem(chainDer(await chainRecords(storage, issuer)));
  return [
    ...["ca", "cert/ca/raw"].map((pattern) =>
      published(pattern, "The default issuer's certificate, in DER.", (request) =>
        ofDefault(request, (issuer) => certificateDer(own(issuer))),
      ),
    ),
    ...["ca/pem", "cert/ca/raw/pem"].map((pattern) =>
      published(pattern, "The default issuer's certificate, in PEM.", (request) =>
        ofDefault(request, (issuer) => certificatesPem([own(issuer)])),
      ),
    ),
    published("ca_chain", "The default issuer's chain, in PEM.", (request) => ofDefault(request, chain)),
    published("cert/ca", "The default issuer's certificate.", async () => {
      const issuer = await findIssuer(storage, "default");
      return issuer === null ? undefined : describe(context, issuer, false);
    }),
    published("cert/ca_chain", "The default issuer's chain.", async () => {
      const issuer = await findIssuer(storage, "default");
      return issuer === null ? undefined : describe(context, issuer, true);
    }),
    ...issuerReads(context),
  ];
}

type Asked = Pick<EngineRequest<Fields>, "headers">;

/** The reply, or 304 when nothing about the mount's CAs has changed since the caller asked: chains and the default included. */
async function unlessCasAreKnown(
  { storage, clock }: MountContext,
  request: Asked,
  reply: Reply,
): Promise<Reply> {
  const { authority } = await readAuthority(storage);
  return unlessKnown(request, { changedAt: authority.changedAt, now: clock.now() }, reply);
}

/** A read that needs no token: what it answers is public. */
export function published(
  pattern: string,
  synopsis: string,
  read: (request: Asked) => Promise<Reply | undefined>,
): PathSpec {
  return path({
    pattern,
    unauthenticated: true,
    fields: {},
    help: { synopsis },
    operations: { read: { summary: synopsis, handler: read } },
  });
}

async function describe({ storage }: MountContext, issuer: IssuerRecord, isChain: boolean): Promise<Reply> {
  const chain = await chainPem(storage, issuer);
  const certificate = (isChain ? chain : chain.slice(0, 1)).map((text) => text.trim()).join("\n");
  return {
    data: {
      certificate,
      revocation_time: 0,
      revocation_time_rfc3339: "",
      issuer_id: issuer.id,
      ...(isChain ? { ca_chain: certificate } : {}),
    },
  };
}

function issuerReads(context: MountContext): PathSpec[] {
  const { storage } = context;
  const reads = {
    json: async (issuer: IssuerRecord): Promise<Reply> => {
      const chain = await chainPem(storage, issuer);
      const names = { issuer_id: issuer.id, issuer_name: issuer.name };
      return { data: { certificate: chain[0] ?? "", ca_chain: chain, ...names } };
    },
    der: async (issuer: IssuerRecord): Promise<Reply> =>
      certificateDer(Buffer.from(issuer.certificate, "base64")),
    pem: async (issuer: IssuerRecord): Promise<Reply> =>
      certificatesPem([Buffer.from(issuer.certificate, "base64")]),
  };
  return Object.entries(reads).map(([form, show]) =>
    path({
      pattern: `issuer/:issuer_ref/${form}`,
      unauthenticated: true,
      fields: ISSUER_FIELD,
      help: { synopsis: `An issuer's certificate, as ${form.toUpperCase()}.` },
      operations: {
        read: {
          summary: "Show an issuer's certificate.",
          handler: async (request) => {
            const issuer = await requireIssuer(storage, request.values.issuer_ref);
            return unlessCasAreKnown(context, request, await show(issuer));
          },
        },
      },
    }),
  );
}
