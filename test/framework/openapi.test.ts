import { describe, expect, test } from "bun:test";
import { path } from "../../src/framework/backend.ts";
import { field } from "../../src/framework/field.ts";
import { findPath } from "../../src/framework/help.ts";
import { openapiDocument, openapiForPath } from "../../src/framework/openapi.ts";
import { sampleBackend } from "./sample-backend.ts";

const INFO = { title: "sample", version: "1.2.3" };

/** Any value that a chain of keys leads to. */
function dig(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

const sample = openapiDocument([{ mountPath: "sample/", backend: sampleBackend() }], INFO);

describe("the OpenAPI document", () => {
  test("names what it follows and what it is about", () => {
    expect(sample.openapi).toBe("3.0.2");
    expect(sample.info).toEqual({ title: "sample", description: "", version: "1.2.3" });
  });

  test("has every path, and lists at a slash", () => {
    expect(Object.keys(sample.paths as object)).toEqual([
      "/sample/certs",
      "/sample/login",
      "/sample/raw",
      "/sample/roles/",
      "/sample/roles/{name}",
      "/sample/secret/{path}",
      "/sample/secret/{path}/",
      "/sample/whoami",
    ]);
  });

  test("describes a path with its operations, parameters and marks", () => {
    expect(dig(sample, "paths", "/sample/roles/{name}")).toEqual({
      description: "Manage a role.",
      parameters: [
        {
          name: "name",
          description: "The role's name.",
          in: "path",
          schema: { type: "string" },
          required: true,
        },
      ],
      "x-vault-createSupported": true,
      get: {
        summary: "Show a role.",
        operationId: "sample-read-roles-name",
        tags: ["secrets"],
        responses: { 200: { description: "OK" } },
      },
      post: {
        summary: "Write a role.",
        operationId: "sample-write-roles-name",
        tags: ["secrets"],
        requestBody: {
          required: true,
          content: {
            "application/json": { schema: { $ref: "#/components/schemas/SampleWriteRolesNameRequest" } },
          },
        },
        responses: { 200: { description: "OK" } },
      },
      patch: {
        summary: "Change a role.",
        operationId: "sample-patch-roles-name",
        tags: ["secrets"],
        requestBody: {
          required: true,
          content: {
            "application/merge-patch+json": {
              schema: { $ref: "#/components/schemas/SamplePatchRolesNameRequest" },
            },
          },
        },
        responses: { 200: { description: "OK" } },
      },
      delete: {
        summary: "Delete a role.",
        operationId: "sample-delete-roles-name",
        tags: ["secrets"],
        responses: { 204: { description: "empty body" } },
      },
    });
  });

  test("has the body's schema once, without what is in the URL", () => {
    expect(dig(sample, "components", "schemas", "SampleWriteRolesNameRequest")).toEqual({
      type: "object",
      properties: {
        default_ttl: {
          type: "string",
          format: "duration",
          default: "3600s",
          description: "How long a credential lives.",
        },
        statements: { type: "array", items: { type: "string" }, description: "What makes a user." },
        kind: {
          type: "string",
          enum: ["password", "key"],
          default: "password",
          description: "What is handed out.",
        },
        secret: {
          type: "string",
          "x-vault-displayAttrs": { sensitive: true },
          description: "Known to the role alone.",
        },
        old_ttl: { type: "integer", deprecated: true, description: "Use default_ttl." },
      },
    });
    expect(dig(sample, "components", "schemas", "SampleWriteLoginRequest", "required")).toEqual(["password"]);
  });

  test("marks what needs no token, and what needs sudo", () => {
    expect(dig(sample, "paths", "/sample/login", "x-vault-unauthenticated")).toBe(true);
    expect(dig(sample, "paths", "/sample/secret/{path}", "x-vault-sudo")).toBe(true);
    expect(dig(sample, "paths", "/sample/roles/{name}", "x-vault-sudo")).toBeUndefined();
  });

  test("asks a list for list=true, and a path that nothing is written to for query parameters", () => {
    expect(dig(sample, "paths", "/sample/roles/", "get", "parameters")).toEqual([
      {
        name: "list",
        description: 'Must be set to "true".',
        in: "query",
        schema: { type: "string", enum: ["true"] },
        required: true,
      },
    ]);
    expect(dig(sample, "paths", "/sample/certs", "get", "parameters")).toEqual([
      { name: "limit", description: "How many at most.", in: "query", schema: { type: "integer" } },
    ]);
  });

  test("tags operations by where they are mounted", () => {
    const tags = ["auth/token/", "sys/", "identity/", "database/"].map((mountPath) =>
      dig(
        openapiDocument([{ mountPath, backend: sampleBackend() }], INFO),
        "paths",
        `/${mountPath}login`,
        "post",
        "tags",
        "0",
      ),
    );
    expect(tags).toEqual(["auth", "system", "identity", "secrets"]);
  });

  test("gives every operation an id of its own, in paths that look alike too", () => {
    const read = { summary: "Read.", handler: async () => undefined };
    const named = { name: field.string({ description: "A name." }) };
    const help = { synopsis: "A path." };
    const backend = {
      paths: [
        path({ pattern: "a/:name", fields: named, operations: { read }, help }),
        path({ pattern: "a/name", fields: {}, operations: { read }, help }),
        path({ pattern: "a/*name", fields: named, operations: { delete: read }, help }),
      ],
    };
    const mounts = ["a/b/", "a-b/"].map((mountPath) => ({ mountPath, backend }));
    const { paths } = openapiDocument(mounts, INFO);
    expect(Object.keys(dig(paths, "/a-b/a/{name}") as object)).toEqual([
      "description",
      "parameters",
      "delete",
      "get",
    ]);
    const ids = JSON.stringify(paths).match(/"operationId":"[^"]+"/g) ?? [];
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  test("of one path has that path alone", () => {
    const spec = findPath(sampleBackend(), "roles/dev");
    if (spec === undefined) throw new TypeError("the sample has no roles");
    const single = openapiForPath("sample/", spec, INFO);
    expect(single.paths).toEqual({
      "/sample/roles/{name}": dig(sample, "paths", "/sample/roles/{name}") as never,
    });
    expect(Object.keys(dig(single, "components", "schemas") as object)).toEqual([
      "SampleWriteRolesNameRequest",
      "SamplePatchRolesNameRequest",
    ]);
  });

  test("is JSON", () => {
    expect(JSON.parse(JSON.stringify(sample))).toEqual(sample);
  });
});

test("every kind of field has a schema with a type", () => {
  const help = { synopsis: "A path." };
  const fields = Object.fromEntries(
    Object.entries(field).map(([kind, build]) => [kind, build({ description: "A field." })]),
  );
  const update = { summary: "Write.", handler: async () => undefined };
  const document = openapiDocument(
    [{ mountPath: "m/", backend: { paths: [path({ pattern: "p", fields, operations: { update }, help })] } }],
    INFO,
  );
  const properties = dig(document, "components", "schemas", "MWritePRequest", "properties") as Record<
    string,
    unknown
  >;
  expect(Object.keys(properties)).toEqual(Object.keys(field));
  for (const property of Object.values(properties)) {
    expect(["string", "integer", "number", "boolean", "array", "object"]).toContain(
      dig(property, "type") as string,
    );
  }
});
