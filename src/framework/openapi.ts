import type { Json, JsonObject } from "../base/json.ts";
import type { Backend, OperationSpec, PathSpec } from "./backend.ts";
import type { FieldSpec, Fields } from "./field.ts";
import { bodySchema, valueSchema } from "./openapi-schema.ts";

/** The version of OpenAPI that Vault's own document follows. */
const OPENAPI_VERSION = "3.0.2";

/** A mounted engine as the document shows it. */
export interface MountedBackend {
  /** With its trailing slash: `database/`, `auth/token/`, `sys/`. */
  readonly mountPath: string;
  readonly backend: Pick<Backend, "paths">;
}

export interface DocumentInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
}

type NamedField = readonly [name: string, spec: FieldSpec<unknown>];

/** What the paths of one document share. */
interface Draft {
  /** Operation ids that are taken. */
  readonly ids: Set<string>;
  readonly schemas: Record<string, Json>;
}

/**
 * The OpenAPI document of mounted engines, as `sys/internal/specs/openapi` answers it. A LIST is a GET with `list=true`
 * whose path ends in a slash, so that it does not collide with the GET that reads.
 */
export function openapiDocument(mounts: readonly MountedBackend[], info: DocumentInfo): JsonObject {
  return document(
    mounts.flatMap(({ mountPath, backend }) => backend.paths.map((spec) => ({ mountPath, spec }))),
    info,
  );
}

/** The document of one path, as `path-help -format=json` shows it. */
export function openapiForPath(mountPath: string, spec: PathSpec, info: DocumentInfo): JsonObject {
  return document([{ mountPath, spec }], info);
}

function document(
  entries: readonly { readonly mountPath: string; readonly spec: PathSpec }[],
  info: DocumentInfo,
): JsonObject {
  const draft: Draft = { ids: new Set(), schemas: {} };
  const items = entries.flatMap(({ mountPath, spec }) => pathItems(draft, mountPath, spec));
  items.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const paths: Record<string, JsonObject> = {};
  // `:name` and `*name` look the same in a URL; where both are declared their operations share one entry.
  for (const [url, item] of items) paths[url] = { ...item, ...paths[url] };
  return {
    openapi: OPENAPI_VERSION,
    info: { title: info.title, description: info.description ?? "", version: info.version },
    paths,
    components: { schemas: draft.schemas },
  };
}

/** A path's entry, and another for its list operation. */
function pathItems(draft: Draft, mountPath: string, spec: PathSpec): [string, JsonObject][] {
  const names = captureNames(spec);
  const url = `/${mountPath}${spec.pattern.replace(/(^|\/)[:*](\w+)/g, "$1{$2}")}`.replace(/\/$/, "");
  const context: PathContext = {
    draft,
    mountPath,
    spec,
    own: names.map((name) => [name, spec.fields[name]] as const).filter(isNamedField),
    others: Object.entries<FieldSpec<unknown>>(spec.fields).filter(([name]) => !names.includes(name)),
  };
  const { read, update, patch, delete: remove, list } = spec.operations;
  const operations: Record<string, Json> = {};
  if (read !== undefined) operations.get = queryOperation(context, read, "read");
  if (update !== undefined) operations.post = bodyOperation(context, update, "write", "application/json");
  if (patch !== undefined) {
    operations.patch = bodyOperation(context, patch, "patch", "application/merge-patch+json");
  }
  if (remove !== undefined) {
    operations.delete = operation(context, remove, operationId(context, "delete"), {
      responses: { 204: { description: "empty body" } },
    });
  }
  const items: [string, JsonObject][] = [];
  if (Object.keys(operations).length > 0) items.push([url, { ...common(context), ...operations }]);
  if (list !== undefined) {
    items.push([`${url}/`, { ...common(context), get: queryOperation(context, list, "list") }]);
  }
  return items;
}

/** A path as its operations see it. */
interface PathContext {
  readonly draft: Draft;
  readonly mountPath: string;
  readonly spec: PathSpec;
  /** The fields that are part of the URL. */
  readonly own: readonly NamedField[];
  readonly others: readonly NamedField[];
}

function isNamedField(entry: readonly [string, Fields[string] | undefined]): entry is NamedField {
  return entry[1] !== undefined;
}

function captureNames(spec: PathSpec): string[] {
  return spec.pattern
    .split("/")
    .filter((segment) => /^[:*]/.test(segment))
    .map((segment) => segment.slice(1));
}

function common({ spec, own }: PathContext): JsonObject {
  return {
    description: spec.help.synopsis,
    ...(own.length === 0 ? {} : { parameters: own.map((field) => parameter(field, "path")) }),
    ...(spec.exists === undefined ? {} : { "x-vault-createSupported": true }),
    ...(spec.sudo ? { "x-vault-sudo": true } : {}),
    ...(spec.unauthenticated ? { "x-vault-unauthenticated": true } : {}),
  };
}

function parameter([name, spec]: NamedField, where: "path" | "query"): JsonObject {
  return {
    name,
    description: spec.description,
    in: where,
    schema: valueSchema(spec),
    ...(where === "path" || spec.required ? { required: true } : {}),
  };
}

const LIST_PARAMETER: JsonObject = {
  name: "list",
  description: 'Must be set to "true".',
  in: "query",
  schema: { type: "string", enum: ["true"] },
  required: true,
};

/** A GET. Where nothing can be written, the fields that are not in the URL are query parameters. */
function queryOperation(
  context: PathContext,
  spec: OperationSpec<Fields>,
  verb: "read" | "list",
): JsonObject {
  const { update, patch } = context.spec.operations;
  const query =
    update === undefined && patch === undefined
      ? context.others.map((field) => parameter(field, "query"))
      : [];
  const parameters = verb === "list" ? [LIST_PARAMETER, ...query] : query;
  return operation(context, spec, operationId(context, verb), {
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: OK,
  });
}

function bodyOperation(
  context: PathContext,
  spec: OperationSpec<Fields>,
  verb: "write" | "patch",
  contentType: string,
): JsonObject {
  const id = operationId(context, verb);
  if (context.others.length === 0) return operation(context, spec, id, { responses: OK });
  const name = `${id.replace(/(?:^|-)(\w)/g, (_all, letter: string) => letter.toUpperCase())}Request`;
  context.draft.schemas[name] = bodySchema(context.others);
  const schema = { $ref: `#/components/schemas/${name}` };
  const requestBody = { required: true, content: { [contentType]: { schema } } };
  return operation(context, spec, id, { requestBody, responses: OK });
}

const OK: JsonObject = { 200: { description: "OK" } };

function operation(
  { mountPath }: PathContext,
  { summary }: OperationSpec<Fields>,
  id: string,
  further: JsonObject,
): JsonObject {
  return { summary, operationId: id, tags: [tagOf(mountPath)], ...further };
}

function tagOf(mountPath: string): string {
  if (mountPath.startsWith("auth/")) return "auth";
  if (mountPath.startsWith("identity/")) return "identity";
  return mountPath.startsWith("sys/") ? "system" : "secrets";
}

/** `database-write-roles-name`; a number is added where another path has it already. */
function operationId({ draft, mountPath, spec }: PathContext, verb: string): string {
  const slug = (text: string) => text.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const base = [slug(mountPath), verb, slug(spec.pattern)].filter((part) => part !== "").join("-");
  let id = base;
  for (let number = 2; draft.ids.has(id); number++) id = `${base}-${number}`;
  draft.ids.add(id);
  return id;
}
