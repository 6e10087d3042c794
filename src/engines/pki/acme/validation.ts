import { hasCode } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import { readAcmeConfig } from "./config.ts";
import { AcmeProblem } from "./problem.ts";
import { type AuthorizationRecord, type ChallengeRecord, putRecord, type Stored } from "./records.ts";
import { validateProof } from "./validate/index.ts";

/** The longest that one attempt may take; a worker has its claim for longer. */
const ATTEMPT_MS = 15_000;
/** Records and servers may need a moment to show what a client has just set up. */
const RETRY_DELAYS_MS = [2_000, 5_000, 10_000, 20_000];
const ATTEMPTS_MAX = RETRY_DELAYS_MS.length + 1;

/**
 * Makes an attempt at the challenge that is being validated, and writes down how it went: valid; or, after the last attempt,
 * invalid; or due again. Nothing is held while the network is waited for, and who comes second gives way.
 */
export async function attemptValidation(
  context: MountContext,
  key: string,
  { record, version }: Stored<AuthorizationRecord>,
  challenge: ChallengeRecord,
): Promise<void> {
  const config = await readAcmeConfig(context.storage);
  const { identifier, thumbprint } = record;
  const { token, type } = challenge;
  const signal = AbortSignal.timeout(ATTEMPT_MS);
  const proof = { identifier, token, keyAuthorization: `${token}.${thumbprint}`, config, signal };
  const problem = await validateProof(type, proof).then(
    () => null,
    (error: unknown) => {
      if (error instanceof AcmeProblem) return error;
      throw error;
    },
  );
  const now = context.clock.now();
  const settled = settle(challenge, problem, now);
  if (settled.status === "invalid") {
    const { account } = record;
    context.log.info("an ACME challenge has failed", {
      account,
      type,
      name: identifier.value,
      reason: problem?.message,
    });
  }
  const next: AuthorizationRecord = {
    ...record,
    status: settled.status === "valid" || settled.status === "invalid" ? settled.status : record.status,
    challenges: record.challenges.map((it) => (it.type === type ? settled : it)),
  };
  const delay = RETRY_DELAYS_MS[settled.attempts - 1] ?? 0;
  const dueAt = settled.status === "processing" ? now + delay : record.expiresAt;
  try {
    await context.storage.commit([putRecord(key, next, version, dueAt)]);
  } catch (error) {
    // Deactivated, or settled by another worker: what stands, stands.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
  }
}

function settle(challenge: ChallengeRecord, problem: AcmeProblem | null, now: number): ChallengeRecord {
  const attempts = challenge.attempts + 1;
  if (problem === null) return { ...challenge, attempts, status: "valid", validatedAt: now, error: null };
  const status = attempts >= ATTEMPTS_MAX ? "invalid" : "processing";
  return { ...challenge, attempts, status, error: problem.document };
}
