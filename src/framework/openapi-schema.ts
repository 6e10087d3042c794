import type { Json, JsonObject } from "../base/json.ts";
import type { FieldKind, FieldSpec } from "./field.ts";

/** The types as OpenAPI (JSON Schema) knows them, with the formats that Vault's own document uses. */
const SCHEMAS: Readonly<Record<FieldKind, JsonObject>> = {
  string: { type: "string" },
  lowerCaseString: { type: "string", format: "lowercase" },
  int: { type: "integer" },
  float: { type: "number", format: "float" },
  bool: { type: "boolean" },
  duration: { type: "string", format: "duration" },
  signedDuration: { type: "string", format: "duration" },
  time: { type: "string", format: "date-time" },
  list: { type: "array", items: {} },
  stringList: { type: "array", items: { type: "string" } },
  commaStringList: { type: "array", items: { type: "string" } },
  commaIntList: { type: "array", items: { type: "integer" } },
  map: { type: "object", format: "map" },
  kvPairs: { type: "object", format: "kvpairs" },
};

/** The schema of a field's value, its description left to the caller: parameters and properties keep it in different places. */
export function valueSchema(spec: FieldSpec<unknown>): JsonObject {
  const schema: Record<string, Json> = { ...SCHEMAS[spec.kind] };
  // Declared values have the field's own type, which is one that JSON has.
  if (spec.allowed !== undefined) schema.enum = spec.allowed as readonly Json[];
  if (spec.default !== undefined) {
    // A duration's default is whole seconds; its schema says string, as durations are written.
    schema.default = schema.format === "duration" ? `${spec.default}s` : (spec.default as Json);
  }
  if (spec.deprecated) schema.deprecated = true;
  if (spec.sensitive) schema["x-vault-displayAttrs"] = { sensitive: true };
  return schema;
}

/** The schema of a request's body. */
export function bodySchema(fields: readonly (readonly [string, FieldSpec<unknown>])[]): JsonObject {
  const required = fields.filter(([, spec]) => spec.required).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(
      fields.map(([name, spec]) => [name, { ...valueSchema(spec), description: spec.description }]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}
