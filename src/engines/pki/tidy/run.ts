import { parseDurationMs } from "../../../base/duration.ts";
import { badRequest, hasCode, messageOf } from "../../../base/errors.ts";
import type { MountContext } from "../../../framework/backend.ts";
import type { EngineWrite } from "../../../framework/storage.ts";
import { ACCOUNT_PREFIX } from "../acme/records.ts";
import { tidyAccounts } from "../acme/tidy.ts";
import { changeScope } from "../crl/rebuild.ts";
import { CERT_PREFIX, readCert } from "../issue/store.ts";
import { certificateOf } from "../issuers/chain.ts";
import { changeCas } from "../issuers/change.ts";
import { readIssuers } from "../issuers/record.ts";
import { REVOKED_PREFIX, readAllRevoked, revokedWrite } from "../revoke/record.ts";
import { hyphenSerial, parseSerial } from "../serial.ts";
import { readCertificate } from "../x509/certificate.ts";
import type { TidyTerms } from "./fields.ts";
import { NO_COUNTS, PHASES, readTidy, type TidyCounts, type TidyRecord, tidyWrite } from "./record.ts";

/** How many certificates one step goes through. */
const STEP = 1000;

/** Begins a tidy, and goes on with it for a step. @returns False: one is running. */
export async function startTidy(context: MountContext, terms: TidyTerms, isAuto: boolean): Promise<boolean> {
  const { storage, clock } = context;
  const { record, version } = await readTidy(storage);
  if (record?.outcome === "Running") return false;
  const now = clock.now();
  const begun: TidyRecord = {
    outcome: "Running",
    terms,
    startedAt: now,
    finishedAt: 0,
    error: "",
    phase: PHASES[0],
    after: "",
    counts: NO_COUNTS,
    isAuto,
  };
  try {
    await storage.commit([tidyWrite(begun, now, version)]);
  } catch (error) {
    // Whoever was faster has begun one.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    return false;
  }
  // A small mount is done before the answer is out; the rest of a large one is due work.
  for (let step = 0; step < PHASES.length && (await stepTidy(context)); step++);
  return true;
}

/** @throws ApiError 400 when none is running. */
export async function cancelTidy({ storage, clock }: MountContext): Promise<void> {
  const { record, version } = await readTidy(storage);
  if (record?.outcome !== "Running") {
    throw badRequest("Tidy operation cannot be cancelled as none is currently running.");
  }
  await storage.commit([
    tidyWrite({ ...record, outcome: "Cancelled", finishedAt: clock.now() }, null, version),
  ]);
}

/** Takes the next step of the tidy that runs. @returns False: there is none, or it is not due yet. */
export async function stepTidy(context: MountContext): Promise<boolean> {
  const { storage, clock } = context;
  const { record, version } = await readTidy(storage);
  if (record?.outcome !== "Running") return false;
  let next: TidyRecord;
  try {
    next = await step(context, record);
  } catch (error) {
    if (hasCode(error, "STORE_CONFLICT")) throw error;
    next = { ...record, outcome: "Error", error: messageOf(error), finishedAt: clock.now() };
  }
  const pauseMs = parseDurationMs(record.terms.pause_duration) * STEP;
  const dueAt = next.outcome === "Running" ? clock.now() + pauseMs : null;
  try {
    await storage.commit([tidyWrite(next, dueAt, version)]);
  } catch (error) {
    // It was cancelled, or somebody else took the same step; what was removed is removed.
    if (!hasCode(error, "STORE_CONFLICT")) throw error;
    return false;
  }
  return next.outcome === "Running" && pauseMs === 0;
}

async function step(context: MountContext, record: TidyRecord): Promise<TidyRecord> {
  const { terms, phase, counts } = record;
  if (phase === "certificates") {
    if (!terms.tidy_cert_store) return nextPhase(context, record, counts);
    return through(context, record, CERT_PREFIX, (names) => tidyCertificates(context, record, names));
  }
  if (phase === "revocations") {
    const isChosen = terms.tidy_revoked_certs || terms.tidy_revoked_cert_issuer_associations;
    if (!isChosen) return nextPhase(context, record, counts);
    return through(context, record, REVOKED_PREFIX, (names) => tidyRevocations(context, record, names));
  }
  if (phase === "issuers" && terms.tidy_expired_issuers) {
    const issuers = await tidyIssuers(context, terms);
    return nextPhase(context, record, { ...counts, issuers });
  }
  if (phase === "acme" && terms.tidy_acme) {
    return through(context, record, ACCOUNT_PREFIX, (names) => tidyAcme(context, record, names));
  }
  return nextPhase(context, record, counts);
}

function nextPhase({ clock }: MountContext, record: TidyRecord, counts: TidyCounts): TidyRecord {
  const phase = PHASES[PHASES.indexOf(record.phase) + 1];
  if (phase !== undefined) return { ...record, counts, phase, after: "" };
  return { ...record, counts, outcome: "Finished", finishedAt: clock.now() };
}

/** Goes through the next names below a prefix. */
async function through(
  context: MountContext,
  record: TidyRecord,
  prefix: string,
  work: (names: readonly string[]) => Promise<TidyCounts>,
): Promise<TidyRecord> {
  const all = await context.storage.list(prefix);
  const names = all.filter((name) => name > record.after).slice(0, STEP);
  const counts = await work(names);
  const last = names.at(-1);
  if (last === undefined || names.length < STEP) return nextPhase(context, record, counts);
  return { ...record, counts, after: last };
}

function isOver({ clock }: MountContext, certificate: string, bufferSeconds: number): boolean {
  const { notAfter } = readCertificate(Buffer.from(certificate, "base64"));
  return clock.now() > notAfter + bufferSeconds * 1000;
}

async function tidyCertificates(
  context: MountContext,
  { terms, counts }: TidyRecord,
  names: readonly string[],
): Promise<TidyCounts> {
  const over: string[] = [];
  for (const name of names) {
    const kept = await readCert(context.storage, parseSerial(name) ?? "");
    if (kept !== null && isOver(context, kept.certificate, terms.safety_buffer)) over.push(name);
  }
  if (over.length > 0) {
    await context.storage.commit(over.map((name) => ({ op: "delete", key: CERT_PREFIX + name })));
  }
  return { ...counts, certs: counts.certs + over.length };
}

async function tidyRevocations(
  context: MountContext,
  { terms, counts }: TidyRecord,
  names: readonly string[],
): Promise<TidyCounts> {
  const scopes = new Set((await readIssuers(context.storage)).map(({ crlScope }) => crlScope));
  const over = new Map<string, string[]>();
  let missing = 0;
  for (const name of names) {
    const serial = parseSerial(name) ?? "";
    const { records } = await readAllRevoked(context.storage, serial);
    for (const { crlScope, certificate } of records) {
      if (!scopes.has(crlScope)) missing += 1;
      if (!terms.tidy_revoked_certs || !isOver(context, certificate, terms.safety_buffer)) continue;
      over.set(crlScope, [...(over.get(crlScope) ?? []), serial]);
    }
  }
  for (const [scope, serials] of over) await forget(context, scope, serials);
  const removed = [...over.values()].reduce((sum, { length }) => sum + length, 0);
  return { ...counts, revoked: counts.revoked + removed, missingIssuer: counts.missingIssuer + missing };
}

/** Takes revocations off the CRL, and forgets them and their certificates, as one commit. */
function forget(context: MountContext, scope: string, serials: readonly string[]): Promise<void> {
  const gone = new Set(serials);
  return changeScope(context, scope, async (state) => ({
    state: { ...state, revoked: state.revoked.filter(([serial]) => !gone.has(serial)) },
    also: (await Promise.all(serials.map((serial) => forgetWrites(context, scope, serial)))).flat(),
    build: "complete",
  }));
}

async function forgetWrites(
  { storage }: MountContext,
  scope: string,
  serial: string,
): Promise<readonly EngineWrite[]> {
  const all = await readAllRevoked(storage, serial);
  // Others of the same number stay.
  const records = all.records.filter(({ crlScope }) => crlScope !== scope);
  const kept = await readCert(storage, serial);
  return [
    revokedWrite(serial, { ...all, records }),
    ...(kept?.crlScope === scope ? [{ op: "delete", key: CERT_PREFIX + hyphenSerial(serial) } as const] : []),
  ];
}

async function tidyAcme(
  context: MountContext,
  { terms, counts }: TidyRecord,
  names: readonly string[],
): Promise<TidyCounts> {
  const { acme } = counts;
  const more = await tidyAccounts(context, names, terms.acme_account_safety_buffer * 1000);
  return {
    ...counts,
    acme: {
      accounts: acme.accounts + more.accounts,
      accountsRevoked: acme.accountsRevoked + more.accountsRevoked,
      accountsDeleted: acme.accountsDeleted + more.accountsDeleted,
      ordersDeleted: acme.ordersDeleted + more.ordersDeleted,
    },
  };
}

/** Issuers that have expired go, except for the default one. @returns How many. */
function tidyIssuers(context: MountContext, { issuer_safety_buffer: buffer }: TidyTerms): Promise<number> {
  return changeCas(context, (present) => {
    const now = context.clock.now();
    const issuers = present.issuers.filter(
      (issuer) =>
        issuer.id === present.defaultIssuer || certificateOf(issuer).notAfter + buffer * 1000 >= now,
    );
    return { set: { ...present, issuers }, result: present.issuers.length - issuers.length };
  });
}
