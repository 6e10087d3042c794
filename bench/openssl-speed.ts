/** What openssl, which does nothing else, gets out of this machine: the limit of signing, and how fast it makes RSA keys. */
import { spawnSync } from "node:child_process";
import { BenchFailed } from "./measure.ts";

/** Signatures a second, by openssl's own measure (`openssl speed`). Null: openssl is not here, or does not know the algorithm. */
export function signatureRate(algorithm: string): number | null {
  const { status, stdout } = spawnSync("openssl", ["speed", "-mr", "-seconds", "1", algorithm], {
    encoding: "utf8",
  });
  if (status !== 0) return null;
  // One line for each algorithm: a letter and a number for its kind, an index, bits (and a name), signatures, verifications.
  const fields = /^\+F[2-6]:(.+)$/m.exec(stdout)?.[1]?.split(":") ?? [];
  const rate = Number(fields.at(-2));
  if (fields.length < 4 || !(rate > 0)) throw new BenchFailed(`openssl speed ${algorithm} printed ${stdout}`);
  return rate;
}

/**
 * RSA keys a second, made by openssl in a process for each, whose start is a small part of it. `openssl speed` makes none before
 * OpenSSL 3.2; a key on a curve takes less time than a process, and cannot be measured so. Null: openssl is not here.
 * @param count - How long a key takes is a matter of luck: it takes many until the luck is even.
 */
export function rsaKeyRate(bits: number, count: number): number | null {
  const start = performance.now();
  for (let left = count; left > 0; left -= 1) {
    const options = ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`, "-out", "/dev/null"];
    const { status } = spawnSync("openssl", ["genpkey", ...options], { stdio: "ignore" });
    if (status !== 0) return null;
  }
  return (count * 1000) / (performance.now() - start);
}
