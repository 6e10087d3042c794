import type { ChallengeType } from "../records.ts";
import type { Proof } from "./proof.ts";

/** Looks for the proof that a challenge asks for. @throws AcmeProblem saying what was found instead. */
export async function validateProof(type: ChallengeType, proof: Proof): Promise<void> {
  switch (type) {
    case "http-01":
      return (await import("./http-01.ts")).validateHttp01(proof);
    case "dns-01":
      return (await import("./dns-01.ts")).validateDns01(proof);
    case "tls-alpn-01":
      return (await import("./tls-alpn-01.ts")).validateTlsAlpn01(proof);
  }
}
