import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, sign, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromDer } from "../../../../src/engines/pki/x509/asn1.ts";
import { type Certificate, readCertificate } from "../../../../src/engines/pki/x509/certificate.ts";
import type { Signer } from "../../../../src/engines/pki/x509/signature.ts";

/** Key types of test authorities, with how openssl makes them and the AlgorithmIdentifier of their signatures. */
const KINDS = {
  ec: {
    newKey: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    algorithm: "300a06082a8648ce3d040302",
    digest: "sha256",
  },
  rsa: { newKey: ["-newkey", "rsa:2048"], algorithm: "300d06092a864886f70d01010b0500", digest: "sha256" },
  ed25519: { newKey: ["-newkey", "ed25519"], algorithm: "300506032b6570", digest: null },
} as const;

export type AuthorityKind = keyof typeof KINDS;
export const AUTHORITY_KINDS = Object.keys(KINDS) as readonly AuthorityKind[];

/** What openssl printed. */
export interface Printed {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An authority that openssl made, in a directory of its own: what the builders are tried with, before and beside the engine. */
export class OpensslAuthority {
  readonly directory = mkdtempSync(join(tmpdir(), "vsec-x509-"));
  readonly certFile = join(this.directory, "ca.crt");
  readonly keyFile = join(this.directory, "ca.key");
  readonly certificate: Certificate;
  readonly signer: Signer;

  constructor(kind: AuthorityKind) {
    const { newKey, algorithm, digest } = KINDS[kind];
    const subject = "/C=NL/O=Vsec tests/CN=Authority of ünïts";
    const files = ["-keyout", this.keyFile, "-out", this.certFile];
    execFileSync(
      "openssl",
      ["req", "-x509", "-utf8", "-days", "30", "-subj", subject, ...newKey, "-nodes", ...files],
      { stdio: "pipe" },
    );
    this.certificate = readCertificate(derOf(this.certFile));
    const key = createPrivateKey(readFileSync(this.keyFile));
    this.signer = {
      algorithm: fromDer(Buffer.from(algorithm, "hex")),
      sign: (data) => sign(digest, data, key),
    };
  }

  /** Issues a leaf. @returns Its files. */
  issue(name: string, serial: number): { certFile: string; keyFile: string } {
    const at = (extension: string): string => join(this.directory, `${name}.${extension}`);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at("key")];
    execFileSync("openssl", ["req", "-new", "-subj", `/CN=${name}`, ...key, "-out", at("csr")], {
      stdio: "pipe",
    });
    const by = ["-CA", this.certFile, "-CAkey", this.keyFile, "-set_serial", String(serial)];
    execFileSync("openssl", ["x509", "-req", "-days", "10", "-in", at("csr"), ...by, "-out", at("crt")], {
      stdio: "pipe",
    });
    return { certFile: at("crt"), keyFile: at("key") };
  }

  write(name: string, bytes: Uint8Array): string {
    const file = join(this.directory, name);
    writeFileSync(file, bytes);
    return file;
  }
}

export function derOf(certFile: string): Buffer {
  return new X509Certificate(readFileSync(certFile)).raw;
}

export function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Runs openssl, or another program that reads what was made. */
export function run(program: string, ...args: readonly string[]): Printed {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, stdout, stderr };
}
