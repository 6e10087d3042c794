import { aggregate, badRequest } from "../../base/errors.ts";
import { parseInput } from "../../base/json.ts";
import { CREDENTIAL_TYPES, type CredentialType, type Role } from "./role.ts";

const USER_PATH = /^\/([\x21-\x7F]{0,510}\/)?$/;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/;
const POLICY_ARN = /^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/.+$/;

export function isRoleArn(text: string): boolean {
  return ROLE_ARN.test(text);
}

export function isPolicyArn(text: string): boolean {
  return POLICY_ARN.test(text);
}

/** A policy document without its white space. @throws ApiError 400 `cannot parse policy document: …` for what is not JSON. */
export function compactPolicy(text: string): string {
  if (text === "") return "";
  try {
    return JSON.stringify(parseInput(text));
  } catch (error) {
    throw badRequest(`cannot parse policy document: ${JSON.stringify(text)}`, error);
  }
}

/**
 * Checks a role as a whole.
 * @throws ApiError 400 with everything that is wrong with it. @see reference: AWS roles.
 */
export function checkRole(role: Role): void {
  const types = role.credentialTypes as readonly string[];
  const [type = ""] = types;
  const problems =
    types.length === 0
      ? ["did not supply credential_type"]
      : CREDENTIAL_TYPES.includes(type as CredentialType)
        ? [...stsProblems(role, type), ...userProblems(role, type), ...sessionProblems(role, type)]
        : [`unrecognized credential type: ${type}`];
  if (problems.length === 0) return;
  throw badRequest(`error(s) validating supplied role data: ${JSON.stringify(aggregate(...problems))}`);
}

function stsProblems(role: Role, type: string): string[] {
  const problems: string[] = [];
  if (type === "iam_user") {
    const only = "parameter only valid for assumed_role and federation_token credential types";
    if (role.defaultStsTtlSeconds !== 0) problems.push(`default_sts_ttl ${only}`);
    if (role.maxStsTtlSeconds !== 0) problems.push(`max_sts_ttl ${only}`);
  }
  if (role.maxStsTtlSeconds > 0 && role.defaultStsTtlSeconds > role.maxStsTtlSeconds) {
    problems.push(`"default_sts_ttl" value must be less than or equal to "max_sts_ttl" value`);
  }
  if (type !== "assumed_role") {
    const otherwise = "when credential_type isn't assumed_role";
    if (role.roleArns.length > 0) problems.push(`cannot supply role_arns ${otherwise}`);
    if (Object.keys(role.sessionTags).length > 0) problems.push(`cannot supply session_tags ${otherwise}`);
    if (role.externalId !== "") problems.push(`cannot supply external_id ${otherwise}`);
  }
  return [...problems, ...arnProblems(role)];
}

function userProblems(role: Role, type: string): string[] {
  const problems: string[] = [];
  if (type !== "iam_user") {
    if (role.userPath !== "") problems.push("user_path parameter only valid for iam_user credential type");
    if (role.permissionsBoundaryArn !== "") {
      problems.push("cannot supply permissions_boundary_arn when credential_type isn't iam_user");
    }
    if (Object.keys(role.iamTags).length > 0) {
      problems.push("cannot supply iam_tags when credential_type isn't iam_user");
    }
    return problems;
  }
  if (!USER_PATH.test(role.userPath || "/")) {
    problems.push(
      `The specified value for user_path is invalid. It must match "^\\\\/([\\\\x21-\\\\x7F]{0,510}\\\\/)?$" regexp`,
    );
  }
  if (role.permissionsBoundaryArn !== "" && !isPolicyArn(role.permissionsBoundaryArn)) {
    problems.push(`invalid permissions_boundary_arn parameter: ${role.permissionsBoundaryArn}`);
  }
  return problems;
}

function sessionProblems(role: Role, type: string): string[] {
  if (type !== "session_token") {
    return role.mfaSerialNumber === ""
      ? []
      : ["cannot supply mfa_serial_number when credential_type isn't session_token"];
  }
  const problems: string[] = [];
  const refuse = (isGiven: boolean, what: string): void => {
    if (isGiven) problems.push(`cannot supply ${what} when credential_type is session_token`);
  };
  refuse(role.policyDocument !== "", "policy_document");
  refuse(role.policyArns.length > 0, "policy_arns");
  refuse(role.iamGroups.length > 0, "iam_groups");
  return problems;
}

/** AWS would only say so when a credential is asked for. */
function arnProblems(role: Role): string[] {
  return [
    ...role.roleArns.filter((arn) => !isRoleArn(arn)).map((arn) => `not the ARN of an IAM role: ${arn}`),
    ...role.policyArns
      .filter((arn) => !isPolicyArn(arn))
      .map((arn) => `not the ARN of an IAM policy: ${arn}`),
  ];
}
