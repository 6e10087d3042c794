import { createHash } from "node:crypto";
import { AcmeProblem } from "../problem.ts";
import { textsOf } from "./addresses.ts";
import type { Proof } from "./proof.ts";

/** Looks for the digest in a TXT record (RFC 8555 section 8.4). @throws AcmeProblem */
export async function validateDns01({ identifier, keyAuthorization, config }: Proof): Promise<void> {
  const name = `_acme-challenge.${identifier.value}`;
  const texts = await textsOf(name, { resolver: config.dns_resolver });
  const digest = createHash("sha256").update(keyAuthorization).digest("base64url");
  if (texts.includes(digest)) return;
  throw new AcmeProblem(
    "unauthorized",
    `none of the ${texts.length} TXT records of ${name} is the challenge's`,
  );
}
