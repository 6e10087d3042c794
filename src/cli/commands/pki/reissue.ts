import type { X509Certificate } from "node:crypto";
import type { JsonObject } from "../../../base/json.ts";
import { defineCommand } from "../../command.ts";
import { parseDataArguments } from "../../data-args.ts";
import { localFailure } from "../../failure.ts";
import { boundsOf, UnknownBound } from "../../pki/ca-bounds.ts";
import { childOf, ISSUE_FLAGS, issueIntermediate, parentOf } from "../../pki/issue-intermediate.ts";
import { fetchIssuer } from "../../pki/issuer.ts";
import { templateFields } from "../../pki/template-fields.ts";

export const command = defineCommand({
  usage: "[options] PARENT TEMPLATE CHILD_MOUNT [K=V...]",
  description: `
Makes an intermediate authority like the TEMPLATE, another issuer: with its names, its type of key, its validity, and the bounds
of what it may issue, but for what the K=V say otherwise.

    $ vsec pki reissue pki_root/issuer/default pki_int/issuer/default pki_int_2 ttl=8760h`,
  flags: ISSUE_FLAGS,
  output: { format: true },
  requests: true,
  async run(context, flags, args) {
    const [parent = "", template = "", child = "", ...pairs] = args;
    if (args.length < 3) {
      throw localFailure(
        "Not enough arguments expected parent issuer, template issuer and child-mount location",
      );
    }
    const place = parentOf(parent);
    const overrides = await parseDataArguments(pairs, context.sources);
    const { certificate } = await fetchIssuer(context, template);
    const type = flags.type ?? "internal";
    const { key_type, key_bits, ...names } = templateFields(certificate);
    const bounds = boundsFrom(certificate, template);
    // A key that is there already has its type.
    const key =
      type === "internal"
        ? { key_type: key_type ?? "", ...(key_bits === undefined ? {} : { key_bits }) }
        : {};
    return issueIntermediate(context, {
      parent: place,
      child: childOf(child),
      type,
      issuerName: flags.issuer_name ?? "",
      data: { ...names, ...bounds, ...key, ...overrides },
    });
  },
});

/** @throws CommandFailure (exit 1) when they cannot be carried over. */
function boundsFrom(certificate: X509Certificate, template: string): JsonObject {
  try {
    return boundsOf(certificate);
  } catch (error) {
    if (!(error instanceof UnknownBound)) throw error;
    throw localFailure(`${template} cannot be a template: ${error.message}`, error);
  }
}
