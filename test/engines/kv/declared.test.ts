import { describe, expect, test } from "bun:test";
import { findRoute } from "../../../src/core/route.ts";
import type { Operation } from "../../../src/framework/backend.ts";
import { kvWorld } from "./world.ts";

/** Vault's key/value API: path, operations, and the parameters of body and query. */
const VERSIONED: readonly (readonly [string, readonly Operation[], readonly string[]])[] = [
  ["config", ["read", "update"], ["cas_required", "delete_version_after", "max_versions"]],
  ["data/x", ["read", "update", "patch", "delete"], ["data", "options", "version"]],
  ["delete/x", ["update"], ["versions"]],
  ["destroy/x", ["update"], ["versions"]],
  ["undelete/x", ["update"], ["versions"]],
  ["subkeys/x", ["read"], ["depth", "version"]],
  ["metadata", ["list"], []],
  [
    "metadata/x",
    ["read", "update", "patch", "delete", "list"],
    ["cas_required", "custom_metadata", "delete_version_after", "max_versions"],
  ],
];

describe("the key/value API", async () => {
  const world = await kvWorld();
  const declared = async (path: string) => (await findRoute(world.core.services, path))?.spec;

  test.each(VERSIONED)("of version 2 has %s", async (path, operations, parameters) => {
    const spec = await declared(`secret/${path}`);
    expect(Object.keys(spec?.operations ?? {}).toSorted()).toEqual(operations.toSorted());
    expect(Object.keys(spec?.fields ?? {})).toEqual(expect.arrayContaining([...parameters]));
  });

  test("of version 1 takes any path", async () => {
    for (const path of ["x", "data/x", "config"]) {
      const spec = await declared(`plain/${path}`);
      expect(Object.keys(spec?.operations ?? {}).toSorted()).toEqual(["delete", "list", "read", "update"]);
    }
  });

  test("never shows a secret's data when it prints a request", async () => {
    expect((await declared("secret/data/x"))?.fields.data?.sensitive).toBe(true);
  });
});
