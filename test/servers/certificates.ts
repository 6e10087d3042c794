/** Throw-away certificates for the servers of the tests, made with the `openssl` command. */

import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerUser } from "./process.ts";

/** A certificate with its key, as files and as PEM texts. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

/** A certificate authority of its own, in `directory`. */
export class CertificateAuthority {
  readonly certFile: string;
  readonly cert: string;
  readonly #directory: string;
  readonly #keyFile: string;

  constructor(directory: string, name = "vsec test CA") {
    this.#directory = directory;
    this.certFile = join(directory, `${name.replaceAll(" ", "-")}.crt`);
    this.#keyFile = this.certFile.replace(/crt$/, "key");
    openssl(
      ...["req", "-x509", "-days", "30", "-subj", `/CN=${name}`, ...KEY],
      ...["-addext", "basicConstraints=critical,CA:TRUE", "-keyout", this.#keyFile, "-out", this.certFile],
    );
    chmodSync(this.certFile, 0o644);
    this.cert = readFileSync(this.certFile, "utf8");
  }

  /**
   * Issues a certificate.
   * @param alternativeNames - As openssl writes them: `DNS:localhost,IP:127.0.0.1`. Empty: none.
   * @param owner - Who shall own the key file; it is readable by that account only.
   */
  issue(commonName: string, alternativeNames: string, owner?: ServerUser): Certificate {
    const base = join(this.#directory, `leaf-${commonName.replaceAll(/[^\w.-]/g, "_")}`);
    const certFile = `${base}.crt`;
    const keyFile = `${base}.key`;
    openssl("req", "-new", "-subj", `/CN=${commonName}`, ...KEY, "-keyout", keyFile, "-out", `${base}.csr`);
    const names = alternativeNames === "" ? "" : `subjectAltName=${alternativeNames}\n`;
    writeFileSync(`${base}.ext`, `basicConstraints=CA:FALSE\n${names}`);
    openssl(
      ...["x509", "-req", "-days", "30", "-in", `${base}.csr`, "-extfile", `${base}.ext`, "-out", certFile],
      ...["-CA", this.certFile, "-CAkey", this.#keyFile, "-CAcreateserial"],
    );
    chmodSync(keyFile, 0o600);
    chmodSync(certFile, 0o644);
    const key = readFileSync(keyFile, "utf8");
    if (owner !== undefined) chownSync(keyFile, owner.uid, owner.gid);
    return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key };
  }
}
