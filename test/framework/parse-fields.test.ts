import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ApiError } from "../../src/base/errors.ts";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { field } from "../../src/framework/field.ts";
import { parseFields } from "../../src/framework/parse-fields.ts";

const fields = {
  name: field.lowerCaseString({ description: "Its name." }),
  ttl: field.duration({ description: "Its life.", default: 60 }),
  tags: field.commaStringList({ description: "Its tags." }),
  pin: field.int({ description: "Its number.", sensitive: true }),
};

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new TypeError("nothing was thrown");
}

describe("the fields of a request", () => {
  test("are as given, else their default, else zero", () => {
    expect(parseFields(fields, { tags: "a,b" }, {})).toEqual({
      values: { name: "", ttl: 60, tags: ["a", "b"], pin: 0 },
      given: { tags: ["a", "b"] },
      unknown: [],
      overridden: [],
    });
  });

  test("count as absent when they are null", () => {
    expect(parseFields(fields, { ttl: null, name: null }, {}).given).toEqual({});
  });

  test("can be given their zero value, which is not the same as absent", () => {
    expect(parseFields(fields, { ttl: 0, tags: "" }, {}).given).toEqual({ ttl: 0, tags: [] });
    expect(parseFields(fields, { ttl: 0 }, {}).values.ttl).toBe(0);
  });

  test("come from the URL before the body, which is noted", () => {
    const parsed = parseFields(fields, { name: "body" }, { name: "URL" });
    expect(parsed.values.name).toBe("url");
    expect(parsed.overridden).toEqual(["name"]);
  });

  test("replace nothing when the body's is null", () => {
    expect(parseFields(fields, { name: null }, { name: "x" }).overridden).toEqual([]);
  });

  test("leave over what has no field, sorted", () => {
    expect(parseFields(fields, { zeta: 1, alpha: null, name: "x" }, {}).unknown).toEqual(["alpha", "zeta"]);
  });

  test("are named by the refusal of a value", () => {
    const error = refusal(() => parseFields(fields, { ttl: "-5" }, {}));
    expect(error.status).toBe(400);
    expect(error.errors).toEqual([
      `Field validation failed: error converting input for field "ttl": cannot provide negative value '-5'`,
    ]);
  });

  test("never show a sensitive value in a refusal, nor keep it as its cause", () => {
    const error = refusal(() => parseFields(fields, { pin: "hunter2" }, {}));
    expect(error.errors).toEqual([
      `Field validation failed: error converting input for field "pin": the value is not of the field's type`,
    ]);
    expect(Bun.inspect(error)).not.toContain("hunter2");
  });

  test.each(["constructor", "toString", "hasOwnProperty", "__proto__"])(
    "do not mistake %s for something declared",
    (name) => {
      const raw = JSON.parse(`{"${name}":"x"}`) as JsonObject;
      const parsed = parseFields(fields, raw, {});
      expect(parsed.unknown).toEqual([name]);
      expect(parsed.given).toEqual({});
    },
  );

  test("are not taken from what a body inherits", () => {
    const inherits = { constructor: field.string({ description: "An awkward name." }) };
    expect(parseFields(inherits, {}, {}).values.constructor).toBe("");
  });

  test("are parsed, or refused with a 400 that names one of them, whatever is sent", () => {
    const names = fc.constantFrom("name", "ttl", "tags", "pin", "other", "__proto__");
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (raw) => {
        try {
          const { values } = parseFields(fields, raw as Record<string, Json>, {});
          expect(Object.keys(values)).toEqual(Object.keys(fields));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          expect((error as ApiError).status).toBe(400);
          expect((error as ApiError).message).toMatch(/for field "(name|ttl|tags|pin)": /);
        }
      }),
    );
  });
});
