import type { JsonObject } from "../../src/base/json.ts";
import { type Backend, path } from "../../src/framework/backend.ts";
import { field } from "../../src/framework/field.ts";

/** A small engine that keeps roles in a map and answers with what its handlers saw. */
export function sampleBackend(roles = new Map<string, JsonObject>()): Backend {
  const fields = {
    name: field.string({ description: "The role's name.", required: true }),
    default_ttl: field.duration({ description: "How long a credential lives.", default: 3600 }),
    statements: field.stringList({ description: "What makes a user." }),
    kind: field.string({
      description: "What is handed out.",
      default: "password",
      allowed: ["password", "key"],
    }),
    secret: field.string({ description: "Known to the role alone.", sensitive: true }),
    old_ttl: field.int({ description: "Use default_ttl.", deprecated: true }),
  };
  return {
    help: "Keeps roles and hands out nothing.",
    secrets: [],
    paths: [
      path({
        pattern: "roles",
        fields: {},
        help: { synopsis: "List the roles." },
        operations: {
          list: { summary: "List the roles.", handler: async () => ({ data: { keys: [...roles.keys()] } }) },
        },
      }),
      path({
        pattern: "roles/:name",
        fields,
        help: { synopsis: "Manage a role.", description: "A role says what its credentials may do." },
        exists: async ({ values }) => roles.has(values.name),
        operations: {
          read: {
            summary: "Show a role.",
            handler: async ({ values }) => {
              const data = roles.get(values.name);
              return data === undefined ? undefined : { data };
            },
          },
          update: {
            summary: "Write a role.",
            handler: async ({ operation, values, given }) => {
              const minutes: number = values.default_ttl / 60;
              roles.set(values.name, { operation, minutes, statements: [...values.statements] });
              return given.kind === undefined ? undefined : { data: { kind: given.kind.toUpperCase() } };
            },
          },
          patch: { summary: "Change a role.", handler: async () => ({ data: { patched: true } }) },
          delete: {
            summary: "Delete a role.",
            handler: async ({ values }) => {
              roles.delete(values.name);
              return undefined;
            },
          },
        },
      }),
      path({
        pattern: "login",
        fields: { password: field.string({ description: "The password.", sensitive: true, required: true }) },
        help: { synopsis: "Log in." },
        unauthenticated: true,
        operations: { update: { summary: "Log in.", handler: async () => ({ data: {} }) } },
      }),
      path({
        pattern: "secret/*path",
        fields: { path: field.string({ description: "Where the secret is." }) },
        help: { synopsis: "Keep a secret." },
        takesAnyField: true,
        sudo: true,
        operations: {
          read: { summary: "Read it.", handler: async ({ values }) => ({ data: { path: values.path } }) },
          list: {
            summary: "List below it.",
            handler: async ({ values }) => ({ data: { keys: [values.path] } }),
          },
          update: { summary: "Write it.", handler: async ({ raw }) => ({ data: raw }) },
        },
      }),
      path({
        pattern: "certs",
        fields: { limit: field.int({ description: "How many at most." }) },
        help: { synopsis: "Count certificates." },
        operations: {
          read: { summary: "Count.", handler: async ({ values }) => ({ data: { limit: values.limit } }) },
        },
      }),
      path({
        pattern: "whoami",
        fields: {},
        help: { synopsis: "Show the caller." },
        operations: {
          read: {
            summary: "Show the caller.",
            handler: async ({ displayName, clientToken }) => ({ data: { displayName, clientToken } }),
          },
          delete: { summary: "Forget the caller.", handler: async () => ({ status: 204 }) },
        },
      }),
      path({
        pattern: "raw",
        fields: {},
        help: { synopsis: "Answer without an envelope." },
        operations: { read: { summary: "Answer.", handler: async () => ({ bare: "text" }) } },
      }),
    ],
  };
}
