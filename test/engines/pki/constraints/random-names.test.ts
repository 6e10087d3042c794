import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkNameConstraints } from "../../../../src/engines/pki/constraints/enforce.ts";
import { sequence, taggedBytes, toDer } from "../../../../src/engines/pki/x509/asn1.ts";
import { buildCertificate } from "../../../../src/engines/pki/x509/certificate.ts";
import { authorityKeyId, caConstraints, subjectKeyId } from "../../../../src/engines/pki/x509/extensions.ts";
import { keyIdOf, publicKeyDer } from "../../../../src/engines/pki/x509/keys.ts";
import { encodeName } from "../../../../src/engines/pki/x509/name.ts";
import { nameConstraints } from "../../../../src/engines/pki/x509/name-constraints.ts";
import { pem } from "../../../../src/engines/pki/x509/pem.ts";
import { signerFor } from "../../../../src/engines/pki/x509/signature.ts";

const folder = mkdtempSync(join(tmpdir(), "vsec-names-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Few labels, so that names and constraints often have to do with each other. */
const LABEL = fc.constantFrom(
  "a",
  "b",
  "com",
  "example",
  "EXAMPLE",
  "*",
  "x*",
  "_s",
  "xn--a",
  "1",
  "",
  "a\0b",
  "-",
);
const HOST = fc.array(LABEL, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const ADDRESS = fc.oneof(
  HOST,
  fc
    .tuple(fc.constantFrom("bob", "BOB", '"bob"', "b@b", "", "bob smith"), HOST)
    .map(([local, host]) => `${local}@${host}`),
);
const BYTES = (length: number) =>
  fc
    .array(fc.constantFrom(0, 10, 127, 255), { minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes));

// Tags of a GeneralName, each with what may stand in a name and in a constraint. URIs are left out: openssl reads theirs otherwise.
const NAME = fc.oneof(
  HOST.map((text) => taggedBytes(2, Buffer.from(text, "latin1"))),
  ADDRESS.map((text) => taggedBytes(1, Buffer.from(text, "latin1"))),
  fc.oneof(BYTES(4), BYTES(16)).map((bytes) => taggedBytes(7, bytes)),
);
const BASE = fc.oneof(
  HOST.map((text) => taggedBytes(2, Buffer.from(text, "latin1"))),
  ADDRESS.map((text) => taggedBytes(1, Buffer.from(text, "latin1"))),
  fc.oneof(BYTES(8), BYTES(32), BYTES(5)).map((bytes) => taggedBytes(7, bytes)),
);
const BASES = fc.array(BASE, { maxLength: 3 });
const WORLD = fc.tuple(
  BASES,
  BASES,
  fc.array(fc.array(NAME, { minLength: 1, maxLength: 2 }), { minLength: 40, maxLength: 40 }),
);

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const publicKey = publicKeyDer(privateKey);
const keyId = keyIdOf(publicKey);
const signer = signerFor(privateKey);
const issuer = encodeName({ commonName: "CA" });
const day = 86_400_000;
const validity = { notBefore: Date.now() - day, notAfter: Date.now() + day };

let made = 0;
function file(der: Buffer): string {
  made += 1;
  const path = join(folder, `${made}.pem`);
  writeFileSync(path, `${pem("CERTIFICATE", der)}\n`);
  return path;
}

test("whatever is let through is let through by openssl too, of a thousand names and constraints", () => {
  const seed = Math.trunc(Math.random() * 2 ** 31);
  let through = 0;
  let kept = 0;
  for (const [permitted, excluded, names] of fc.sample(WORLD, { numRuns: 40, seed })) {
    const ca = buildCertificate(
      {
        ...{ serial: Buffer.of(1), issuer, subject: issuer, publicKey, ...validity },
        extensions: [caConstraints(-1), subjectKeyId(keyId), nameConstraints(permitted, excluded)],
      },
      signer,
    );
    const chain = [{ certificate: ca.toString("base64") }];
    const allowed = names
      .map((list) => toDer(sequence(...list)))
      .filter((altNames) => isAllowed(chain, altNames));
    through += allowed.length;
    kept += names.length - allowed.length;
    if (allowed.length === 0) continue;
    const leaves = allowed.map((value, index) =>
      buildCertificate(
        {
          ...{ serial: Buffer.of(index + 2), issuer, subject: encodeName({}), publicKey, ...validity },
          extensions: [authorityKeyId(keyId), { oid: "2.5.29.17", critical: true, value }],
        },
        signer,
      ),
    );
    const files = leaves.map(file);
    const { stdout, stderr } = spawnSync("openssl", ["verify", "-CAfile", file(ca), ...files], {
      encoding: "utf8",
    });
    const trusted = stdout.split("\n").filter((line) => line.endsWith(": OK"));
    expect([`seed ${seed}`, trusted.length, stderr]).toEqual([`seed ${seed}`, files.length, ""]);
  }
  // Neither verdict is the only one there is.
  expect([through > 200, kept > 200]).toEqual([true, true]);
});

function isAllowed(chain: readonly { certificate: string }[], altNames: Buffer): boolean {
  try {
    checkNameConstraints(chain, { subject: encodeName({}), altNames, isCa: false });
    return true;
  } catch {
    return false;
  }
}
