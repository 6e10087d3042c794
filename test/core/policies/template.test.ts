import { describe, expect, test } from "bun:test";
import type { IdentityView } from "../../../src/core/policies/identity-view.ts";
import { fillTemplate, unbalancedBraces } from "../../../src/core/policies/template.ts";

const BOB: IdentityView = {
  id: "e-1",
  name: "bob",
  metadata: { team: "blue", "a.b": "dotted", star: "x*", plus: "+", empty: "", project: "group/app" },
  aliases: [
    {
      id: "a-1",
      name: "bob@example.com",
      mountAccessor: "auth_jwt_1",
      metadata: { ref: "main" },
      customMetadata: { cost: "42" },
    },
  ],
  groups: [{ id: "g-1", name: "ops", metadata: { floor: "3" } }],
};

describe("a template", () => {
  test.each([
    ["identity.entity.id", "e-1"],
    ["identity.entity.name", "bob"],
    ["identity.entity.metadata.team", "blue"],
    ["identity.entity.metadata.a.b", "dotted"],
    ["identity.entity.metadata.project", "group/app"],
    ["identity.entity.aliases.auth_jwt_1.id", "a-1"],
    ["identity.entity.aliases.auth_jwt_1.name", "bob@example.com"],
    ["identity.entity.aliases.auth_jwt_1.metadata.ref", "main"],
    ["identity.entity.aliases.auth_jwt_1.custom_metadata.cost", "42"],
    ["identity.groups.ids.g-1.name", "ops"],
    ["identity.groups.ids.g-1.metadata.floor", "3"],
    ["identity.groups.names.ops.id", "g-1"],
    ["identity.groups.names.ops.metadata.floor", "3"],
  ])("%s stands for the caller's own", (selector, value) => {
    expect(fillTemplate(`a/{{${selector}}}/b`, BOB)).toBe(`a/${value}/b`);
    expect(fillTemplate(`a/{{ ${selector} }}/b`, BOB)).toBe(`a/${value}/b`);
    expect(fillTemplate(`a/{{${selector}}}/b`, null)).toBeNull();
  });

  test.each([
    "identity.entity.metadata.none",
    "identity.entity.metadata.constructor",
    "identity.entity.metadata.__proto__",
    "identity.entity.metadata.empty",
    "identity.entity.aliases.other.name",
    "identity.entity.aliases.auth_jwt_1",
    "identity.groups.ids.g-2.name",
    "identity.groups.names.dev.id",
    "identity.groups.names.ops",
    "identity.entity.password",
    "entity.id",
    "",
  ])("%j cannot be resolved", (selector) => {
    expect(fillTemplate(`a/{{${selector}}}`, BOB)).toBeNull();
  });

  test.each(["star", "plus"])("never becomes a wildcard: metadata %s", (key) => {
    expect(fillTemplate(`a/{{identity.entity.metadata.${key}}}`, BOB)).toBeNull();
  });

  test("that is resolved does not save one that is not", () => {
    expect(fillTemplate("{{identity.entity.id}}/{{identity.entity.metadata.none}}", BOB)).toBeNull();
    expect(fillTemplate("{{identity.entity.id}}/{{identity.entity.name}}", BOB)).toBe("e-1/bob");
  });

  test("is not looked for in what it stands for", () => {
    const sly = { ...BOB, name: "{{identity.entity.id}}" };
    expect(fillTemplate("a/{{identity.entity.name}}", sly)).toBe("a/{{identity.entity.id}}");
  });

  test.each([
    ["{{a}}", false],
    ["{{a}}{{b}}", false],
    ["{a}", false],
    ["{{a", true],
    ["a}}", true],
    ["{{a}}}}", true],
    ["{{a{{b}}", true],
    ["}}{{", true],
  ])("%j has unbalanced braces: %p", (text, isUnbalanced) => {
    expect(unbalancedBraces(text)).toBe(isUnbalanced);
  });
});
