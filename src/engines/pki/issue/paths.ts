import { badRequest } from "../../../base/errors.ts";
import type { JsonObject } from "../../../base/json.ts";
import {
  type EngineRequest,
  type MountContext,
  type PathSpec,
  path,
  type Reply,
} from "../../../framework/backend.ts";
import type { Values } from "../../../framework/field.ts";
import { issuingAuthority } from "../issuers/signing.ts";
import { type ReadyKeys, readyKeys } from "../keys/ready-keys.ts";
import { filledRole, type Role, requireRole } from "../roles/role.ts";
import { type KeyKind, keyKind, keyKindProblem, publicKeyDer } from "../x509/keys.ts";
import { type AnswerForm, answerForm, describeIssued } from "./answer.ts";
import type { RequestedNames } from "./check-names.ts";
import { subjectParts } from "./content.ts";
import { type CheckedCsr, checkedCsr, checkKeyOfCsr } from "./csr.ts";
import { CSR_FIELD, ISSUE_FIELDS, ISSUER_FIELD, KEY_FIELDS } from "./fields.ts";
import { leased } from "./lease.ts";
import { PKCS12_FORMAT, withPkcs12 } from "./pkcs12-answer.ts";
import { type CertificatePlan, carryOut, planByRole } from "./plan.ts";
import { namesFrom, namesInCsr } from "./requested.ts";

type IssueValues = Values<typeof ISSUE_FIELDS>;

/** `issue/:role` and `sign/:role`, each also below `issuer/:issuer_ref`. @see reference: building a certificate. */
export function issuePaths(context: MountContext): PathSpec[] {
  const keys = readyKeys(context.random);
  return [
    path({
      pattern: "issue/:role",
      fields: { ...ISSUE_FIELDS, ...KEY_FIELDS },
      help: ISSUE_HELP,
      operations: {
        update: { summary: ISSUE_HELP.synopsis, handler: (request) => issue(context, keys, request) },
      },
    }),
    path({
      pattern: "issuer/:issuer_ref/issue/:role",
      fields: { ...ISSUE_FIELDS, ...KEY_FIELDS, ...ISSUER_FIELD },
      help: ISSUE_HELP,
      operations: {
        update: {
          summary: ISSUE_HELP.synopsis,
          handler: (request) => issue(context, keys, request, request.values.issuer_ref),
        },
      },
    }),
    path({
      pattern: "sign/:role",
      fields: { ...ISSUE_FIELDS, ...CSR_FIELD },
      help: SIGN_HELP,
      operations: {
        update: { summary: SIGN_HELP.synopsis, handler: (request) => sign(context, request) },
      },
    }),
    path({
      pattern: "issuer/:issuer_ref/sign/:role",
      fields: { ...ISSUE_FIELDS, ...CSR_FIELD, ...ISSUER_FIELD },
      help: SIGN_HELP,
      operations: {
        update: {
          summary: SIGN_HELP.synopsis,
          handler: (request) => sign(context, request, request.values.issuer_ref),
        },
      },
    }),
  ];
}

const ISSUE_HELP = {
  synopsis: "Make a key, and issue a certificate for it.",
  description: "The private key is in the answer and nowhere else.",
};
const SIGN_HELP = { synopsis: "Issue a certificate for the key of a request." };

/** The key that `issue` is to make. @throws ApiError 400 @returns The kind, and warnings. */
function keyFor(
  role: Role,
  { key_type, key_bits }: Pick<Values<typeof KEY_FIELDS>, "key_type" | "key_bits">,
): { readonly kind: KeyKind; readonly warnings: readonly string[] } {
  if (role.key_type !== "any") {
    const isAsked = key_type !== "" || key_bits !== 0;
    const warnings = isAsked ? ["parameters key_type and key_bits ignored as role had specific values"] : [];
    return { kind: keyKind(role.key_type, role.key_bits), warnings };
  }
  if (key_type === "") {
    throw badRequest(
      'role key type "any" not allowed for issuing certificates without providing key_type and/or key_bits request parameters',
    );
  }
  const problem = keyKindProblem(key_type, key_bits);
  if (problem !== null) throw badRequest(problem);
  return { kind: keyKind(key_type, key_bits), warnings: [] };
}

type IssueRequest = EngineRequest<typeof ISSUE_FIELDS & typeof KEY_FIELDS>;
type SignRequest = EngineRequest<typeof ISSUE_FIELDS & typeof CSR_FIELD>;

async function issue(
  context: MountContext,
  keys: ReadyKeys,
  request: IssueRequest,
  issuerRef?: string,
): Promise<Reply> {
  const { values } = request;
  const role = await filledRole(await requireRole(context.storage, values.role), request);
  const isPkcs12 = values.format === PKCS12_FORMAT;
  const form = answerForm(isPkcs12 ? "pem" : values.format, values.private_key_format);
  const { kind, warnings } = keyFor(role, values);
  const issuer = await issuingAuthority(context.storage, issuerRef ?? role.issuer_ref);
  const requested: RequestedNames = {
    commonName: values.common_name,
    serialNumber: values.serial_number,
    userIds: values.user_ids,
    names: namesFrom(values),
    fromCsr: false,
  };
  const plan = planByRole(context, role, issuer, requested, values);
  return reply(context, role, plan, warnings, async () => {
    const key = await keys.take(kind);
    const issued = await carryOut(context, plan, publicKeyDer(key));
    const answer = describeIssued(issued, issuer.certificate.der, form, key);
    return isPkcs12 ? withPkcs12(context, answer, issued, key, values) : answer;
  });
}

async function sign(context: MountContext, request: SignRequest, issuerRef?: string): Promise<Reply> {
  const { values } = request;
  const role = await filledRole(await requireRole(context.storage, values.role), request);
  const form = answerForm(values.format, values.private_key_format);
  const checked = checkedCsr(values.csr);
  checkKeyOfCsr(role, checked.kind);
  const issuer = await issuingAuthority(context.storage, issuerRef ?? role.issuer_ref);
  const { requested, warnings } = requestedBy(role, checked, values);
  const plan = planByRole(context, role, issuer, requested, values);
  return reply(context, role, plan, warnings, () => signPlanned(context, plan, checked, form));
}

async function signPlanned(
  context: MountContext,
  plan: CertificatePlan,
  { csr }: CheckedCsr,
  form: AnswerForm,
): Promise<JsonObject> {
  const issued = await carryOut(context, plan, csr.publicKey);
  return describeIssued(issued, plan.issuer.certificate.der, form);
}

/** The names that a request and the parameters beside it ask for, by a role's choice between the two. */
function requestedBy(
  role: Role,
  { csr }: CheckedCsr,
  values: IssueValues,
): { readonly requested: RequestedNames; readonly warnings: readonly string[] } {
  const inCsr = subjectParts(csr.subject);
  const fromCsr = role.use_csr_common_name ? inCsr.commonName : "";
  const serialInCsr = role.serial_number_source === "json-csr" ? inCsr.serialNumber : "";
  const requested: RequestedNames = {
    commonName: fromCsr || values.common_name,
    serialNumber: values.serial_number || serialInCsr,
    userIds: values.user_ids.length > 0 ? values.user_ids : inCsr.userIds,
    names: role.use_csr_sans ? namesInCsr(csr) : namesFrom(values),
    fromCsr: role.use_csr_sans,
  };
  return { requested, warnings: ignoredWarnings(role, values) };
}

function ignoredWarnings(role: Role, values: IssueValues): readonly string[] {
  const ignored = (field: string, option: string): string =>
    `the ${field} field was provided but the role is set with "${option}" set to true`;
  const sans = (["alt_names", "ip_sans", "uri_sans", "other_sans"] as const).filter(
    (field) => values[field].length > 0,
  );
  return [
    ...(role.use_csr_common_name && values.common_name !== ""
      ? [ignored("common_name", "use_csr_common_name")]
      : []),
    ...(role.use_csr_sans ? sans.map((field) => ignored(field, "use_csr_sans")) : []),
  ];
}

/** The answer: at once, or under a lease where the role says so. */
async function reply(
  context: MountContext,
  role: Pick<Role, "generate_lease">,
  plan: CertificatePlan,
  warnings: readonly string[],
  run: () => Promise<JsonObject>,
): Promise<Reply> {
  const all = [...plan.validity.warnings, ...plan.warnings, ...warnings];
  if (role.generate_lease) return { lease: leased(context, plan, run), warnings: all };
  return { data: await run(), warnings: all };
}
