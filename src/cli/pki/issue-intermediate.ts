import { messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { ApiResponse } from "../../contract/wire.ts";
import { bodyOf, dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { answer, type Result } from "../outcome.ts";
import { dataPath } from "../paths.ts";
import { type IssuerPath, parseIssuerPath } from "./issuer.ts";

/** Flags of the commands that make an intermediate. */
export const ISSUE_FLAGS = {
  type: {
    kind: "string",
    words: ["internal", "existing", "kms"],
    text: "Where the key comes from: internal (made on the child mount), existing (there already), or kms.",
  },
  issuer_name: { kind: "string", text: "The name of the new issuer on the child mount." },
} as const;

/** What is to be made. */
export interface IntermediateOrder {
  /** The issuer that signs. */
  readonly parent: IssuerPath;
  /** The mount that gets the new issuer. */
  readonly child: string;
  readonly type: string;
  /** Empty: none. */
  readonly issuerName: string;
  /** Parameters of the request and of the signature, as they were given. */
  readonly data: JsonObject;
}

/** @throws CommandFailure (exit 1) for a path of another form. */
export function parentOf(text: string): IssuerPath {
  const place = parseIssuerPath(text);
  if (place !== null) return place;
  throw localFailure(`Parent Issuer ${text} is Not a PKI Issuer Path of the format /mount/issuer/issuer-ref`);
}

const KEY_FIELDS = ["key_type", "key_bits", "key_name", "key_ref"];

/** What the signer alone says of a CA, and a request does not have. */
const BOUND =
  /^(?:(?:permitted|excluded)_.*|max_path_length|key_usage|ext_key_usage|ext_key_usage_oids|policy_identifiers|skid|use_csr_values)$/;

/**
 * Makes an intermediate: a request on the child mount, the parent's signature under it, and the certificate with its chain
 * back on the child mount. A step that fails says what stands already and how to go on.
 */
export async function issueIntermediate(context: CommandContext, order: IntermediateOrder): Promise<Result> {
  const { parent, child, type, issuerName, data } = order;
  const warnings = new Set<string>();
  const step = async (path: string, body: JsonObject, hint: string): Promise<JsonObject> => {
    const sent = context.send({ method: "PUT", path, body }, { prefix: `Error writing ${path}` });
    const response = await recover(sent, hint);
    for (const warning of warningsIn(response)) warnings.add(warning);
    return dataOf(response);
  };
  const asked = Object.fromEntries(Object.entries(data).filter(([name]) => !BOUND.test(name)));
  const given = await step(`${child}/intermediate/generate/${type}`, asked, "nothing was changed");
  const keyId = String(given.key_id ?? "");
  const csr = String(given.csr ?? "");
  const unsigned = `the key ${keyId} of mount ${child} was made for this and is of no other use; run the command again with -type=existing key_ref=${keyId}, or delete ${child}/key/${keyId}`;
  const signing = Object.fromEntries(Object.entries(data).filter(([name]) => !KEY_FIELDS.includes(name)));
  const signed = await step(
    `${parent.mount}/issuer/${parent.ref}/sign-intermediate`,
    { ...signing, csr },
    unsigned,
  );
  const chain = Array.isArray(signed.ca_chain) ? signed.ca_chain.map(String) : [];
  const certificate = String(signed.certificate ?? "");
  const bundle = [...new Set([certificate, ...chain])].map((pem) => pem.trim()).join("\n");
  const imported = await step(
    `${child}/issuers/import/cert`,
    { pem_bundle: bundle },
    `the certificate was issued (read it at ${parent.mount}/cert/${signed.serial_number}); import it by ${child}/issuers/import/cert`,
  );
  const path = `${child}/issuer/${issuerIdOf(imported, keyId)}`;
  if (issuerName !== "") {
    const body = { issuer_name: issuerName };
    const options = { prefix: `Error naming ${path}` };
    await recover(
      context.send({ method: "PATCH", path, body }, options),
      `the issuer stands, at ${path}, without its name`,
    );
  }
  const response = await context.send({ method: "GET", path }, { prefix: `Error reading ${path}` });
  return answer({ show: "secret", body: { data: dataOf(response), warnings: [...warnings] } });
}

function warningsIn(response: ApiResponse): readonly string[] {
  const warnings = bodyOf(response)?.warnings;
  return Array.isArray(warnings) ? warnings.map(String) : [];
}

/** @throws CommandFailure (exit 1) with what was said, and the hint. */
async function recover<T>(work: Promise<T>, hint: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw localFailure(`${messageOf(error).trimEnd()}\n\nWhat now: ${hint}.`, error);
  }
}

/** The issuer that has the new key; the mapping also holds those of the chain, whose keys are elsewhere. */
function issuerIdOf({ mapping, imported_issuers }: JsonObject, keyId: string): string {
  const entries = typeof mapping === "object" && mapping !== null ? Object.entries(mapping) : [];
  const [id] = entries.find(([, key]) => key === keyId && keyId !== "") ?? [];
  return id ?? (Array.isArray(imported_issuers) ? String(imported_issuers[0] ?? "") : "");
}

/** The child mount of a command. */
export function childOf(text: string): string {
  return dataPath(text);
}
