import { ApiError, aggregate, badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { AuthContext } from "../../framework/auth.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field, type Given } from "../../framework/field.ts";
import { PAGE_FIELDS, pageOf } from "../../framework/list-page.ts";
import { oldNamesInUse, withNewNames } from "../../framework/old-names.ts";
import { NAME_WITH_AT } from "../../framework/path-match.ts";
import { describeTokenTerms, mergeTokenTerms, TOKEN_FIELDS } from "../../framework/token-fields.ts";
import { hashPassword, PASSWORD_BYTES_MAX } from "./password.ts";
import {
  deleteUser,
  listUsers,
  OLD_NAMES,
  type OldName,
  readUser,
  type StoredUser,
  type User,
  writeUser,
} from "./user.ts";

/** Captures of a user's name: mail addresses are names too. */
export const USERNAME_CAPTURE = { username: NAME_WITH_AT };

export const USERNAME = field.lowerCaseString({ description: "The user's name." });
export const PASSWORD = field.string({ description: "The user's password.", sensitive: true });

const POLICY_FIELDS = {
  token_policies: TOKEN_FIELDS.token_policies,
  policies: field.commaStringList({ description: "The old name of token_policies.", deprecated: true }),
};

const USER_FIELDS = {
  username: USERNAME,
  password: PASSWORD,
  ...TOKEN_FIELDS,
  ...POLICY_FIELDS,
  ttl: field.duration({ description: "The old name of token_ttl.", deprecated: true }),
  max_ttl: field.duration({ description: "The old name of token_max_ttl.", deprecated: true }),
  bound_cidrs: field.commaStringList({ description: "The old name of token_bound_cidrs.", deprecated: true }),
};

type UserGiven = Given<typeof USER_FIELDS>;

/** `users` and below. @see reference: userpass. */
export function userPaths(context: AuthContext): PathSpec[] {
  return [listPath(context), userPath(context), passwordPath(context), policiesPath(context)];
}

function listPath({ storage }: AuthContext): PathSpec {
  return path({
    pattern: "users",
    fields: PAGE_FIELDS,
    help: { synopsis: "List the users." },
    operations: {
      list: {
        summary: "List the users.",
        handler: async ({ values }) => ({ data: { keys: pageOf(await listUsers(storage), values) } }),
      },
    },
  });
}

function userPath(context: AuthContext): PathSpec {
  const { storage } = context;
  return path({
    pattern: "users/:username",
    captures: USERNAME_CAPTURE,
    fields: USER_FIELDS,
    exists: async ({ values }) => (await readUser(storage, values.username)) !== null,
    help: {
      synopsis: "Make a user, with a password and the terms of the tokens it gets.",
      description: "An update keeps what it is not given.",
    },
    operations: {
      read: {
        summary: "Show a user, without the password.",
        handler: async ({ values }) => {
          const stored = await readUser(storage, values.username);
          return stored === null ? undefined : { data: describe(stored.user) };
        },
      },
      update: {
        summary: "Create or change a user.",
        handler: async ({ values, given }) => {
          const old = await readUser(storage, values.username);
          const user = await merge(context, old?.user ?? null, given);
          await writeUser(storage, values.username, user, old?.version ?? 0);
          return undefined;
        },
      },
      delete: {
        summary: "Delete a user. Tokens it has stay until they end, and cannot be renewed.",
        handler: async ({ values }) => {
          await deleteUser(storage, values.username);
          return undefined;
        },
      },
    },
  });
}

async function merge({ random }: AuthContext, old: User | null, given: UserGiven): Promise<User> {
  const terms = mergeTokenTerms(old?.terms ?? null, withNewNames(given, OLD_NAMES));
  const text = given.password ?? "";
  if (text === "" && old === null) throw badRequest("missing password");
  const password = text === "" && old !== null ? old.password : await hashPassword(random, checked(text));
  const oldNames = oldNamesInUse(OLD_NAMES, given, old?.oldNames ?? []);
  return { password, terms, oldNames };
}

function checked(password: string): string {
  if (Buffer.byteLength(password) <= PASSWORD_BYTES_MAX) return password;
  throw badRequest(`password is longer than ${PASSWORD_BYTES_MAX} bytes`);
}

function describe({ terms, oldNames }: User): JsonObject {
  const shown = describeTokenTerms(terms);
  const old = oldNames.map((name: OldName) => [name, shown[`token_${name}`] ?? null]);
  return { ...shown, ...Object.fromEntries(old) };
}

function passwordPath({ storage, random }: AuthContext): PathSpec {
  return path({
    pattern: "users/:username/password",
    captures: USERNAME_CAPTURE,
    fields: { username: USERNAME, password: PASSWORD },
    help: { synopsis: "Change a user's password." },
    operations: {
      update: {
        summary: "Change a user's password.",
        handler: async ({ values }) => {
          const { user, version } = required(await readUser(storage, values.username));
          if (values.password === "") throw badRequest("missing password");
          const password = await hashPassword(random, checked(values.password));
          await writeUser(storage, values.username, { ...user, password }, version);
          return undefined;
        },
      },
    },
  });
}

function policiesPath({ storage }: AuthContext): PathSpec {
  return path({
    pattern: "users/:username/policies",
    captures: USERNAME_CAPTURE,
    fields: { username: USERNAME, ...POLICY_FIELDS },
    help: { synopsis: "Change a user's policies." },
    operations: {
      update: {
        summary: "Change a user's policies.",
        handler: async ({ values, given }) => {
          const { user, version } = required(await readUser(storage, values.username));
          const policies = given.token_policies ?? given.policies ?? [];
          const terms = mergeTokenTerms(user.terms, { token_policies: policies });
          await writeUser(storage, values.username, { ...user, terms }, version);
          return undefined;
        },
      },
    },
  });
}

function required(stored: StoredUser | null): StoredUser {
  if (stored === null) throw new ApiError(500, aggregate("username does not exist"));
  return stored;
}
