import type { Barrier } from "../../barrier/port.ts";
import { decodeBase64Text } from "../../base/base64.ts";
import { badRequest } from "../../base/errors.ts";
import { HclError } from "../../base/hcl/error.ts";
import { type PathSpec, path, type Reply } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { Services } from "../services.ts";
import { parsePolicy } from "./parse.ts";
import {
  deletePolicy,
  POLICY_BYTES_MAX,
  policyName,
  policyNames,
  readPolicy,
  type StoredPolicy,
  writePolicy,
} from "./store.ts";

const NAME = field.string({ description: "The policy's name. It is kept in lower case." });
const POLICY = { description: "The policy's text: HCL or JSON, as it is or in base64." };
const DELETE_SUMMARY = "Delete a policy. Tokens keep its name, which then grants nothing.";

/** `sys/policies/acl` and the older `sys/policy`. @see reference: policy endpoints. */
export function policyPaths({ barrier }: Services): PathSpec[] {
  return [aclListPath(barrier), aclPath(barrier), olderListPath(barrier), olderPath(barrier)];
}

function aclListPath(barrier: Barrier): PathSpec {
  return path({
    pattern: "policies/acl",
    fields: {},
    help: { synopsis: "List the policies." },
    operations: {
      list: {
        summary: "List the names of the policies.",
        handler: async () => ({ data: { keys: await policyNames(barrier) } }),
      },
    },
  });
}

function aclPath(barrier: Barrier): PathSpec {
  return path({
    pattern: "policies/acl/*name",
    fields: { name: NAME, policy: field.string({ ...POLICY, required: true }) },
    help: { synopsis: "Read, write or delete a policy." },
    operations: {
      read: {
        summary: "Read a policy.",
        handler: async ({ values }) => {
          const found = await find(barrier, values.name);
          return found === null ? undefined : { data: { name: found.name, policy: found.text } };
        },
      },
      update: {
        summary: "Write a policy. It holds from the next request on.",
        handler: ({ values }) => write(barrier, values.name, values.policy, []),
      },
      delete: { summary: DELETE_SUMMARY, handler: ({ values }) => remove(barrier, values.name) },
    },
  });
}

function olderListPath(barrier: Barrier): PathSpec {
  const list = {
    summary: "List the names of the policies.",
    handler: async () => {
      const names = await policyNames(barrier);
      return { data: { keys: names, policies: names } };
    },
  };
  return path({
    pattern: "policy",
    fields: {},
    help: { synopsis: "List the policies. The older form of sys/policies/acl." },
    operations: { read: list, list },
  });
}

function olderPath(barrier: Barrier): PathSpec {
  return path({
    pattern: "policy/*name",
    fields: {
      name: NAME,
      policy: field.string(POLICY),
      rules: field.string({ description: "The older name of policy.", deprecated: true }),
    },
    help: { synopsis: "Read, write or delete a policy. The older form of sys/policies/acl/<name>." },
    operations: {
      read: {
        summary: "Read a policy.",
        handler: async ({ values }) => {
          const found = await find(barrier, values.name);
          return found === null ? undefined : { data: { name: found.name, rules: found.text } };
        },
      },
      update: {
        summary: "Write a policy. It holds from the next request on.",
        handler: ({ values }) => {
          const isOlder = values.policy === "" && values.rules !== "";
          const warnings = isOlder ? ["'rules' is deprecated, please use 'policy' instead"] : [];
          return write(barrier, values.name, values.policy || values.rules, warnings);
        },
      },
      delete: { summary: DELETE_SUMMARY, handler: ({ values }) => remove(barrier, values.name) },
    },
  });
}

/** `root` is there and has no text. */
async function find(barrier: Barrier, given: string): Promise<Pick<StoredPolicy, "name" | "text"> | null> {
  const name = policyName(given);
  return name === "root" ? { name, text: "" } : readPolicy(barrier, name);
}

async function write(
  barrier: Barrier,
  given: string,
  givenText: string,
  warnings: readonly string[],
): Promise<Reply | undefined> {
  const name = policyName(given);
  if (givenText === "") throw badRequest("'policy' parameter not supplied or empty");
  // No policy in clear is the base64 of a text.
  const text = decodeBase64Text(givenText) ?? givenText;
  checkText(text);
  await writePolicy(barrier, name, text);
  const renamed = name === given ? [] : [`policy name was converted to ${name}`];
  const all = [...warnings, ...renamed];
  return all.length === 0 ? undefined : { warnings: all };
}

/** @throws ApiError 400 for a text that is too long or no policy. */
function checkText(text: string): void {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX) {
    throw badRequest(`failed to parse policy: it is larger than ${POLICY_BYTES_MAX} bytes`);
  }
  try {
    parsePolicy(text);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw badRequest(`failed to parse policy: ${error.message}`, error);
  }
}

async function remove(barrier: Barrier, given: string): Promise<undefined> {
  await deletePolicy(barrier, policyName(given));
}
