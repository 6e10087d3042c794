import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isFromIssuer, parseOcspRequest } from "../../../../src/engines/pki/x509/ocsp-request.ts";
import {
  buildOcspResponse,
  type CertificateStatus,
  ocspFailure,
} from "../../../../src/engines/pki/x509/ocsp-response.ts";
import { AUTHORITY_KINDS, OpensslAuthority, type Printed, run } from "./authority.ts";

const NOW = Date.now();

/** What is known of the certificates, by serial number. */
const KNOWN: Readonly<Record<string, CertificateStatus>> = {
  "2001": { kind: "good" },
  "2002": { kind: "revoked", revokedAt: Date.UTC(2026, 0, 2, 3, 4, 5), reason: 4 },
  "2003": { kind: "revoked", revokedAt: Date.UTC(2026, 0, 2, 3, 4, 5) },
};

function answer(authority: OpensslAuthority, request: Uint8Array): Buffer {
  const { asked, nonce } = parseOcspRequest(request);
  return buildOcspResponse({
    issuer: authority.certificate,
    signer: authority.signer,
    answers: asked.map((it) => ({
      certId: it.certId,
      status: KNOWN[it.serial] ?? { kind: "unknown" },
    })),
    nonce,
    now: NOW,
    nextUpdate: NOW + 3_600_000,
  });
}

/** Lets openssl ask for certificates, answers it, and lets it judge the answer. */
async function ask(
  authority: OpensslAuthority,
  names: readonly string[],
  ...options: readonly string[]
): Promise<Printed> {
  const requestFile = join(authority.directory, "request.der");
  const certs = names.flatMap((name) => ["-cert", join(authority.directory, `${name}.crt`)]);
  const asked = ["ocsp", "-issuer", authority.certFile, ...options, ...certs];
  expect(run("openssl", ...asked, "-reqout", requestFile).status).toBe(0);
  const response = authority.write("response.der", answer(authority, readFileSync(requestFile)));
  // It would add a nonce of its own to the request that it reads; the one in there is checked all the same.
  return run(
    "openssl",
    ...asked,
    "-no_nonce",
    "-reqin",
    requestFile,
    "-respin",
    response,
    "-CAfile",
    authority.certFile,
  );
}

describe.each(AUTHORITY_KINDS)("an OCSP response signed with an %s key", (kind) => {
  const authority = new OpensslAuthority(kind);
  for (const [name, serial] of [
    ["good", 0x2001],
    ["superseded", 0x2002],
    ["revoked", 0x2003],
    ["other", 0x2004],
  ] as const)
    authority.issue(name, serial);

  test("is verified by openssl, with its nonce, for several certificates at once", async () => {
    const { stdout, stderr } = await ask(authority, ["good", "superseded", "revoked", "other"]);
    expect(stderr).toContain("Response verify OK");
    expect(stderr).not.toContain("no nonce");
    expect(stdout).toContain("good.crt: good");
    expect(stdout).toMatch(
      /superseded\.crt: revoked[\s\S]+Reason: superseded\n\tRevocation Time: Jan {2}2 03:04:05 2026 GMT/,
    );
    expect(stdout).toMatch(
      /revoked\.crt: revoked\n\tThis Update: [^\n]+\n\tNext Update: [^\n]+\n\tRevocation Time/,
    );
    expect(stdout).toContain("other.crt: unknown");
  });

  test("has no nonce where none was asked for", async () => {
    const { stderr } = await ask(authority, ["good"], "-no_nonce");
    expect(stderr).toContain("Response verify OK");
  });
});

describe("an OCSP request", () => {
  const authority = new OpensslAuthority("ec");
  const stranger = new OpensslAuthority("ec");
  authority.issue("good", 0x2001);

  function requested(...options: readonly string[]): Buffer {
    const file = join(authority.directory, "request.der");
    const cert = ["-cert", join(authority.directory, "good.crt")];
    run("openssl", "ocsp", ...options, "-issuer", authority.certFile, ...cert, "-reqout", file);
    return readFileSync(file);
  }

  test.each(["-sha1", "-sha256", "-sha384", "-sha512"])(
    "with %s hashes is known by its issuer alone",
    (hash) => {
      const [asked] = parseOcspRequest(requested(hash)).asked;
      if (asked === undefined) throw new TypeError("nothing was asked for");
      expect(isFromIssuer(asked, authority.certificate)).toBe(true);
      expect(isFromIssuer(asked, stranger.certificate)).toBe(false);
    },
  );

  test("with a hash that is not known is nobody's", () => {
    const [asked] = parseOcspRequest(requested("-sha224")).asked;
    if (asked === undefined) throw new TypeError("nothing was asked for");
    expect(asked.hash).toBeNull();
    expect(isFromIssuer(asked, authority.certificate)).toBe(false);
  });

  test("that is signed is read like any other", () => {
    const request = requested("-signer", authority.certFile, "-signkey", authority.keyFile);
    expect(parseOcspRequest(request).asked).toHaveLength(1);
  });

  const whole = requested();
  test("is refused when it is cut anywhere", () => {
    for (let length = 0; length < whole.length; length++)
      expect(() => parseOcspRequest(whole.subarray(0, length))).toThrow(SyntaxError);
  });

  test("is read or refused as malformed whatever byte of it is changed, never anything else", () => {
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ flip;
        try {
          parseOcspRequest(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }
    }
  });

  test.each([
    ["empty", ""],
    ["text", Buffer.from("GET / HTTP/1.1").toString("hex")],
    ["asking for nothing", "300430023000"],
    ["no sequence", "0401ff"],
    ["of endless nesting", "3080".repeat(200)],
  ])("that is %s is refused", (_what, hex) => {
    expect(() => parseOcspRequest(Buffer.from(hex, "hex"))).toThrow(SyntaxError);
  });

  test("that is followed by something, or longer than 2,048 bytes, is refused", () => {
    expect(() => parseOcspRequest(Buffer.concat([whole, Buffer.of(0)]))).toThrow(SyntaxError);
    expect(() => parseOcspRequest(Buffer.alloc(2049, 0x30))).toThrow(SyntaxError);
  });
});

test.each([
  ["malformedRequest", "malformedrequest (1)"],
  ["internalError", "internalerror (2)"],
  ["tryLater", "trylater (3)"],
  ["unauthorized", "unauthorized (6)"],
] as const)("the failure %s is what openssl calls it", (kind, shown) => {
  const authority = new OpensslAuthority("ec");
  const { stdout, stderr } = run(
    "openssl",
    "ocsp",
    "-respin",
    authority.write("failure.der", ocspFailure(kind)),
    "-text",
  );
  expect(stdout + stderr).toContain(shown);
});
