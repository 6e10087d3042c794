import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

describe("an issuer that has expired", () => {
  beforeAll(async () => {
    await pki.mount("old");
    await pki.must("old/root/generate/internal", { common_name: "Old", ttl: "1h", key_type: "ec" });
    await pki.must("old/roles/r", { allow_any_name: true, key_type: "ec", ttl: "30m" });
    pki.world.advance(2 * 3600);
  });

  const issued = async (behavior: string): Promise<string> => {
    await pki.must("old/issuer/default", { leaf_not_after_behavior: behavior });
    return pki.refused("old/issue/r", { common_name: "a.b" });
  };

  test("issues nothing that would be cut off before it begins", async () => {
    expect(await issued("truncate")).toMatch(/^cannot satisfy request, as .* is in the past$/);
    expect(await issued("err")).toContain("is beyond the expiration of the CA certificate");
  });

  test("issues where what it issues may outlive it", async () => {
    expect(await issued("permit")).toBe("");
  });
});

test("a fixed end may be the last moment that a certificate can say", async () => {
  const { certificate } = await pki.must("pki/root/generate/internal", {
    common_name: "For ever",
    key_type: "ec",
    not_after: "9999-12-31T23:59:59Z",
  });
  expect(pki.text(String(certificate))).toContain("Not After : Dec 31 23:59:59 9999 GMT");
});
