import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { JsonObject } from "../../../../src/base/json.ts";
import { buildCsr } from "../../../../src/engines/pki/x509/csr.ts";
import { publicKeyDer } from "../../../../src/engines/pki/x509/keys.ts";
import { pem } from "../../../../src/engines/pki/x509/pem.ts";
import { signerFor } from "../../../../src/engines/pki/x509/signature.ts";
import { has, PkiWorld } from "../world.ts";
import { GROUPS, type Group } from "./hostile-names.ts";

const hasCerttool = has("certtool");

let pki: PkiWorld;
let caKey = "";
let leafKey = "";
beforeAll(async () => {
  pki = await PkiWorld.create();
  caKey = newKey();
  leafKey = newKey();
});
afterAll(() => pki.remove());

function newKey(): string {
  const file = pki.file("");
  pki.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file);
  return file;
}

/** A value of DER, written by hand: what is held against the engine is not to come from its own encoder. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

const TAGS: Readonly<Record<string, number>> = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 };
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const UPN = oid("2b060104018237140203");
const UTF8_MAILBOX = oid("2b06010505070809");
const attribute = (type: string, value: string): Buffer =>
  der(0x31, der(0x30, oid(type), der(type === EMAIL ? 0x16 : 0x0c, Buffer.from(value, "utf8"))));
const EMAIL = "2a864886f70d010901";

const split = (name: string): readonly [kind: string, text: string] => {
  const at = name.indexOf(":");
  return [name.slice(0, at), name.slice(at + 1)];
};

function address(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split(".").map(Number));
  const mapped = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const [, head = text, ...bytes] = mapped ?? [];
  const hex = bytes.map((byte) => Number(byte).toString(16).padStart(2, "0"));
  const whole = mapped === null ? text : `${head}${hex.slice(0, 2).join("")}:${hex.slice(2).join("")}`;
  const [before = "", after = ""] = whole.split("::");
  const groups = (part: string): readonly string[] => (part === "" ? [] : part.split(":"));
  const zeros = 8 - groups(before).length - groups(after).length;
  const all = [...groups(before), ...Array.from({ length: zeros }, () => "0"), ...groups(after)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function block(text: string): Buffer {
  const [base = "", bits = "0"] = text.split("/");
  const bytes = address(base);
  const mask = Buffer.from(
    bytes.map((_byte, index) => 0xff << Math.max(0, Math.min(8, 8 - (Number(bits) - index * 8)))),
  );
  return Buffer.concat([bytes, mask]);
}

/** A subject of organizations and units; a comma parts them. */
const organizations = (text: string): Buffer =>
  der(0x30, ...text.split(",").map((value, index) => attribute(index === 0 ? "55040a" : "55040b", value)));

function base(constraint: string): Buffer {
  const [kind, text] = split(constraint);
  if (kind === "hex") return der(TAGS[split(text)[0]] ?? 0, Buffer.from(split(text)[1], "hex"));
  if (kind === "directory") return der(0xa4, organizations(text));
  if (kind === "other") return der(0xa0, UPN, der(0xa0, der(0x0c, Buffer.from(text))));
  return der(TAGS[kind] ?? 0, kind === "ip" ? block(text) : Buffer.from(text, "latin1"));
}

function constraints({ permitted = [], excluded = [] }: Group): string {
  const list = (tag: number, bases: readonly string[]): readonly Buffer[] =>
    bases.length === 0 ? [] : [der(tag, ...bases.map((one) => der(0x30, base(one))))];
  return der(0x30, ...list(0xa0, permitted), ...list(0xa1, excluded)).toString("hex");
}

function subject(name: string): Buffer {
  const [kind, text] = split(name);
  if (kind === "cn") return der(0x30, attribute("550403", text));
  if (kind === "mail") return der(0x30, attribute(EMAIL, text));
  return kind === "subject" ? organizations(text) : der(0x30);
}

function altName(name: string): Buffer | null {
  const [kind, text] = split(name);
  const other = { upn: UPN, utf8: UTF8_MAILBOX }[kind];
  if (other !== undefined) return der(0xa0, other, der(0xa0, der(0x0c, Buffer.from(text, "utf8"))));
  const tag = TAGS[kind];
  if (tag === undefined) return null;
  return der(tag, kind === "ip" ? address(text) : Buffer.from(text, "utf8"));
}

/** A request for a name, of the key of all of them. */
function csrFor(name: string): string {
  const key = createPrivateKey(readFileSync(leafKey));
  const san = altName(name);
  const extensions = san === null ? [] : [{ oid: "2.5.29.17", critical: false, value: der(0x30, san) }];
  const request = { subject: subject(name), publicKey: publicKeyDer(key), extensions };
  return pem("CERTIFICATE REQUEST", buildCsr(request, signerFor(key)));
}

describe.each([...GROUPS])("with $title", (group) => {
  let ca = "";
  let issuer = "";
  beforeAll(async () => {
    const { text, ok } = pki.openssl(
      ...["req", "-x509", "-key", caKey, "-days", "30", "-subj", `/CN=CA of ${group.title}`],
      ...["-addext", `nameConstraints=critical,DER:${constraints(group)}`],
    );
    if (!ok) throw new TypeError(text);
    ca = pki.file(text);
    const bundle = `${text}\n${readFileSync(caKey, "utf8")}`;
    const { imported_issuers: ids } = await pki.must("pki/issuers/import/bundle", { pem_bundle: bundle });
    issuer = String((ids as string[])[0]);
  });

  /** What the engine says of a name: its certificate, or why not. */
  async function asked(name: string): Promise<{ certificate: string; refusal: string }> {
    const { status, body } = await pki.world.put(`pki/issuer/${issuer}/sign-verbatim`, {
      csr: csrFor(name),
      ttl: "1h",
    });
    const answer = body as { data?: JsonObject; errors?: string[] };
    if (status >= 400) return { certificate: "", refusal: (answer.errors ?? []).join() };
    return { certificate: String(answer.data?.certificate), refusal: "" };
  }

  /** Why openssl does not trust a certificate; empty: it does. */
  function objection(certificate: string): string {
    const { ok, text } = pki.openssl("verify", "-CAfile", ca, pki.file(certificate));
    return ok ? "" : (/^error \d+ .*$/m.exec(text)?.[0] ?? text);
  }

  /** The same certificate, made by openssl. */
  function madeByOpenssl(name: string): string {
    const { ok, text } = pki.openssl(
      ...["x509", "-req", "-in", pki.file(csrFor(name)), "-CA", ca, "-CAkey", caKey],
      ...["-set_serial", "1", "-days", "1", "-copy_extensions", "copy"],
    );
    if (!ok) throw new TypeError(text);
    return text.slice(text.indexOf("-----BEGIN CERTIFICATE"));
  }

  const REFUSAL = /name constraints|malformed|control character/;

  /** Whether GnuTLS trusts a certificate; true where it is not here. */
  const isGnutlsContent = (certificate: string): boolean =>
    !hasCerttool ||
    pki.certtool("--verify", "--load-ca-certificate", ca, "--infile", pki.file(certificate)).ok;

  const { issued = [], refused = [], stricter = {}, laxer = {}, notForGnutls = [] } = group;
  test.each([...issued])(
    `%j is issued, and openssl${hasCerttool ? " and GnuTLS" : ""} trusts it`,
    async (name) => {
      const { certificate, refusal } = await asked(name);
      expect(refusal).toBe("");
      expect(objection(certificate)).toBe("");
      expect(isGnutlsContent(certificate)).toBe(!hasCerttool || !notForGnutls.includes(name));
    },
  );
  test.each([...refused])("%j is refused, and openssl would not trust it", async (name) => {
    expect((await asked(name)).refusal).toMatch(REFUSAL);
    expect(objection(madeByOpenssl(name))).not.toBe("");
  });
  test.each(Object.entries(stricter))("%j is refused, though openssl would trust it: %s", async (name) => {
    expect((await asked(name)).refusal).toMatch(REFUSAL);
    expect(objection(madeByOpenssl(name))).toBe("");
  });
  test.each(Object.entries(laxer))("%j is issued, though openssl does not trust it: %s", async (name) => {
    const { certificate, refusal } = await asked(name);
    expect(refusal).toBe("");
    expect(objection(certificate)).not.toBe("");
  });
});
