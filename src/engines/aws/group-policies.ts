import {
  GetGroupPolicyCommand,
  type IAMClient,
  ListAttachedGroupPoliciesCommand,
  ListGroupPoliciesCommand,
} from "@aws-sdk/client-iam";
import { badRequest } from "../../base/errors.ts";
import { isJsonObject, type Json, parseJson } from "../../base/json.ts";

export interface SessionPolicies {
  readonly policyArns: readonly string[];
  /** Compact JSON; empty: none. */
  readonly policyDocument: string;
}

const GROUPS_AT_ONCE_MAX = 10;

/**
 * Adds the policies of groups to a session's: the ARNs of managed ones to its list, the statements of inline ones to its
 * document. @throws what the SDK throws; ApiError 400 for a document that is not JSON.
 */
export async function withGroupPolicies(
  iam: IAMClient,
  groups: readonly string[],
  own: SessionPolicies,
): Promise<SessionPolicies> {
  if (groups.length === 0) return own;
  if (groups.length > GROUPS_AT_ONCE_MAX) throw badRequest(`a role has at most ${GROUPS_AT_ONCE_MAX} groups`);
  const arns = [...own.policyArns];
  const documents = own.policyDocument === "" ? [] : [own.policyDocument];
  for (const GroupName of groups) {
    const attached = await iam.send(new ListAttachedGroupPoliciesCommand({ GroupName, MaxItems: 1000 }));
    for (const { PolicyArn } of attached.AttachedPolicies ?? []) {
      if (PolicyArn !== undefined && !arns.includes(PolicyArn)) arns.push(PolicyArn);
    }
    const inline = await iam.send(new ListGroupPoliciesCommand({ GroupName, MaxItems: 1000 }));
    for (const PolicyName of inline.PolicyNames ?? []) {
      const { PolicyDocument } = await iam.send(new GetGroupPolicyCommand({ GroupName, PolicyName }));
      if (PolicyDocument !== undefined) documents.push(decodeURIComponent(PolicyDocument));
    }
  }
  return {
    policyArns: arns,
    policyDocument: documents.length < 2 ? (documents[0] ?? "") : merged(documents),
  };
}

function merged(documents: readonly string[]): string {
  const statements = documents.flatMap((text): readonly Json[] => {
    const document = parseJson(text);
    const statement = isJsonObject(document) ? document.Statement : undefined;
    if (statement === undefined)
      throw badRequest("a policy has no Statement, so it cannot be merged with others");
    return Array.isArray(statement) ? (statement as readonly Json[]) : [statement];
  });
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
