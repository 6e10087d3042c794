import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { PkiWorld } from "./world.ts";

/*
 * CAs from elsewhere count their certificates from 1, so that two of them, imported into one mount, have certificates of the
 * same serial number.
 */

let pki: PkiWorld;
beforeAll(async () => {
  pki = await PkiWorld.create();
});
afterAll(() => pki.remove());

interface Imported {
  readonly mount: string;
  readonly id: string;
  /** A certificate of its own, PEM; its serial number is 7. */
  readonly leaf: string;
}

/** A CA that openssl has made, imported, and what it has issued before. */
async function imported(mount: string, name: string): Promise<Imported> {
  const keyFile = pki.file("");
  const ca = pki.openssl(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", keyFile, "-subj", `/CN=${name}`, "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ).text;
  const certificate = ca.slice(ca.indexOf("-----BEGIN CERTIFICATE"));
  const { csr } = pki.csr(`/CN=${name}.example.com`);
  const signed = pki.openssl(
    ...["x509", "-req", "-in", pki.file(csr), "-CA", pki.file(certificate), "-CAkey", keyFile],
    ...["-set_serial", "7", "-days", "1"],
  ).text;
  const bundle = `${certificate}\n${readFileSync(keyFile, "utf8")}`;
  const { imported_issuers: ids } = await pki.must(`${mount}/issuers/import/bundle`, { pem_bundle: bundle });
  return {
    mount,
    id: String((ids as string[])[0]),
    leaf: signed.slice(signed.indexOf("-----BEGIN CERTIFICATE")),
  };
}

const crlOf = async ({ mount, id }: Imported): Promise<string> => {
  const { bytes } = await pki.raw(`${mount}/issuer/${id}/crl/pem`);
  return pki.openssl("crl", "-noout", "-text", "-in", pki.file(bytes)).text;
};

test("an OCSP answer is about the certificate of the issuer that was asked for", async () => {
  await pki.mount("asked");
  const [third, fourth] = [await imported("asked", "third"), await imported("asked", "fourth")];
  await pki.must("asked/revoke", { certificate: fourth.leaf });
  const statusOf = async ({ id, leaf }: Imported): Promise<string> => {
    const issuer = pki.file(String((await pki.read(`asked/issuer/${id}`)).certificate));
    const request = pki.file("");
    pki.openssl("ocsp", "-issuer", issuer, "-cert", pki.file(leaf), "-no_nonce", "-reqout", request);
    const answer = await pki.raw(
      `asked/ocsp/${readFileSync(request).toString("base64").replaceAll("/", "_")}`,
    );
    const response = pki.file(answer.bytes);
    return pki.openssl("ocsp", "-respin", response, "-noverify", "-resp_text").text;
  };
  expect(await statusOf(third)).toContain("Cert Status: good");
  expect(await statusOf(fourth)).toContain("Cert Status: revoked");
  await pki.must("asked/revoke", { certificate: third.leaf });
  expect(await statusOf(third)).toContain("Cert Status: revoked");
});

test("of two certificates with one serial number each goes on the CRL of its own issuer", async () => {
  const [first, second] = [await imported("pki", "first"), await imported("pki", "second")];
  await pki.must("pki/revoke", { certificate: first.leaf });
  expect(await crlOf(first)).toContain("Serial Number: 07");
  expect(await crlOf(second)).toContain("No Revoked Certificates");
  await pki.must("pki/revoke", { certificate: second.leaf });
  expect(await crlOf(second)).toContain("Serial Number: 07");
  // Once they are revoked, both stay so.
  const again = await pki.must("pki/revoke", { certificate: second.leaf });
  expect(again.state).toBe("revoked");
  expect((await pki.world.send("LIST", "pki/certs/revoked")).body).toMatchObject({ data: { keys: ["07"] } });
  // Tidied together, both leave their CRLs.
  pki.world.advance(48 * 3600);
  await pki.must("pki/tidy", { tidy_revoked_certs: true, safety_buffer: "1h" });
  expect(await pki.read("pki/tidy-status")).toMatchObject({ revoked_cert_deleted_count: 2 });
  expect(await crlOf(first)).toContain("No Revoked Certificates");
  expect(await crlOf(second)).toContain("No Revoked Certificates");
  expect((await pki.world.send("LIST", "pki/certs/revoked")).status).toBe(404);
});

describe("a serial number below zero", () => {
  test("is not that of a certificate, whose CRL entry would be for another one", async () => {
    const { csr, keyFile } = pki.csr("/CN=Minus");
    const made = pki.openssl(
      ...["x509", "-req", "-in", pki.file(csr), "-key", keyFile, "-set_serial", "-5", "-days", "1"],
    ).text;
    const certificate = made.slice(made.indexOf("-----BEGIN CERTIFICATE"));
    expect(await pki.refused("pki/revoke", { certificate })).toBe(
      "certificate holds a certificate that cannot be read: malformed serial number",
    );
  });

  test("is not asked for by OCSP either", async () => {
    await pki.mount("minus");
    const { certificate } = await pki.must("minus/root/generate/internal", {
      common_name: "R",
      key_type: "ec",
    });
    const request = pki.file("");
    const issuer = pki.file(String(certificate));
    const asked = async (serial: string): Promise<number> => {
      pki.openssl("ocsp", "-issuer", issuer, "-serial", serial, "-no_nonce", "-reqout", request);
      const text = readFileSync(request).toString("base64").replaceAll("/", "_");
      return (await pki.raw(`minus/ocsp/${text}`)).status;
    };
    expect(await asked("0x85")).toBe(200);
    expect(await asked("-0x7b")).toBe(400);
  });
});
