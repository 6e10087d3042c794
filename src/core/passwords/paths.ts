import type { Barrier } from "../../barrier/port.ts";
import { decodeBase64Text } from "../../base/base64.ts";
import { ApiError, aggregate, badRequest, messageOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import { generatePassword, type PasswordRules } from "../../framework/password.ts";
import type { Services } from "../services.ts";
import { parsePasswordPolicy } from "./parse.ts";
import {
  deletePasswordPolicy,
  passwordPolicyNames,
  readPasswordPolicy,
  writePasswordPolicy,
} from "./store.ts";

const NAME = field.string({ description: "The policy's name." });
const LENGTH_MIN = 4;
const LENGTH_MAX = 100;

/** `sys/policies/password`. @see reference: password policies. */
export function passwordPolicyPaths(services: Services): PathSpec[] {
  return [listPath(services), policyPath(services), generatePath(services)];
}

function listPath({ barrier }: Services): PathSpec {
  return path({
    pattern: "policies/password",
    fields: {},
    help: { synopsis: "List the password policies." },
    operations: {
      list: {
        summary: "List the names of the password policies.",
        handler: async () => ({ data: { keys: await passwordPolicyNames(barrier) } }),
      },
    },
  });
}

function policyPath({ barrier, random }: Services): PathSpec {
  return path({
    pattern: "policies/password/:name",
    fields: {
      name: NAME,
      policy: field.string({
        description: "The policy's text: HCL or JSON, as it is or in base64.",
        required: true,
      }),
    },
    help: {
      synopsis: "Read, write or delete a password policy.",
      description:
        'A policy has a length and rules: length = 20, rule "charset" { charset = "abc" min-chars = 1 }. Engines that make ' +
        "passwords take its name.",
    },
    operations: {
      read: {
        summary: "Read a password policy.",
        handler: async ({ values }) => ({ data: { policy: await requirePolicy(barrier, values.name) } }),
      },
      update: {
        summary: "Write a password policy. A password is made by it first, to see that it can be.",
        handler: async ({ values }) => {
          if (values.policy === "") throw badRequest("missing policy");
          const text = decodeBase64Text(values.policy) ?? values.policy;
          tryOut(random, text);
          await writePasswordPolicy(barrier, values.name, text);
          return undefined;
        },
      },
      delete: {
        summary: "Delete a password policy. What names it makes no passwords until it is told another.",
        handler: async ({ values }) => {
          await deletePasswordPolicy(barrier, values.name);
          return undefined;
        },
      },
    },
  });
}

function generatePath({ barrier, random }: Services): PathSpec {
  return path({
    pattern: "policies/password/:name/generate",
    fields: { name: NAME },
    help: { synopsis: "Make a password by a policy. It is not kept." },
    operations: {
      read: {
        summary: "Make a password by a policy.",
        handler: async ({ values }) => {
          const rules = parsePasswordPolicy(await requirePolicy(barrier, values.name));
          return { data: { password: generatePassword(random, rules) } };
        },
      },
    },
  });
}

/** @throws ApiError 404 with Vault's text. */
async function requirePolicy(barrier: Barrier, name: string): Promise<string> {
  const text = await readPasswordPolicy(barrier, name);
  if (text === null) throw new ApiError(404, aggregate("policy does not exist"));
  return text;
}

/** @throws ApiError 400 for a text that is no policy, or one that no password can follow. */
function tryOut(random: Random, text: string): void {
  let rules: PasswordRules;
  try {
    rules = parsePasswordPolicy(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest(`invalid password policy: ${messageOf(error)}`, error);
  }
  if (rules.length < LENGTH_MIN || rules.length > LENGTH_MAX) {
    throw badRequest(`passwords must be between ${LENGTH_MIN} and ${LENGTH_MAX} characters`);
  }
  try {
    generatePassword(random, rules);
  } catch (error) {
    const text = "unable to construct test password from provided policy: are the rules impossible?";
    throw badRequest(text, error);
  }
}
