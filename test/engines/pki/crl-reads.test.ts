import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { PkiWorld } from "./world.ts";

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
  await pki.root();
});
afterAll(() => pki.remove());

describe("a CRL that nobody here can sign", () => {
  test("is not there, and asking for it writes nothing", async () => {
    const { text } = pki.openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", pki.file(""), "-subj", "/CN=Without its key"],
    );
    const pem_bundle = text.slice(text.indexOf("-----BEGIN CERTIFICATE"));
    const { imported_issuers: ids } = await pki.must("pki/issuers/import/cert", { pem_bundle });
    const commits = spyOn(pki.world.barrier, "commit");
    try {
      expect((await pki.raw(`pki/issuer/${(ids as string[])[0]}/crl/pem`)).status).toBe(204);
      expect(commits).not.toHaveBeenCalled();
    } finally {
      commits.mockRestore();
    }
  });
});

describe("the first delta of an issuer", () => {
  test("has a complete CRL that it belongs to, whichever was asked for first", async () => {
    await pki.must("pki/config/crl", { auto_rebuild: true, enable_delta: true });
    const late = await pki.must("pki/root/generate/internal", { common_name: "Late", key_type: "ec" });
    await pki.read("pki/crl/rotate-delta");
    const numbersOf = async (kind: string): Promise<readonly string[]> => {
      const { bytes } = await pki.raw(`pki/issuer/${late.issuer_id}/${kind}/pem`);
      const { text } = pki.openssl("crl", "-noout", "-text", "-in", pki.file(bytes));
      return [...text.matchAll(/X509v3 (?:CRL Number|Delta CRL Indicator):.*\n\s+(\S+)/g)].map(
        ([, it = ""]) => it,
      );
    };
    expect(await numbersOf("crl/delta")).toEqual(["2", "1"]);
    expect(await numbersOf("crl")).toEqual(["1"]);
  });
});

describe("a CRL that was made this very second", () => {
  test("has no date by which a later one of the same second would pass for it", async () => {
    await pki.must("sys/mounts/pki/tune", {
      passthrough_request_headers: ["If-Modified-Since"],
      allowed_response_headers: ["Last-Modified"],
    });
    const read = async (headers: Record<string, string> = {}) =>
      pki.world.core.handle({ method: "GET", path: "pki/crl", headers });
    await pki.read("pki/crl/rotate");
    expect((await read()).headers?.["Last-Modified"]).toBeUndefined();
    pki.world.advance(1);
    const since = (await read()).headers?.["Last-Modified"] ?? "";
    expect(since).not.toBe("");
    expect((await read({ "if-modified-since": since })).status).toBe(304);
    await pki.read("pki/crl/rotate");
    expect((await read({ "if-modified-since": since })).status).toBe(200);
  });
});
