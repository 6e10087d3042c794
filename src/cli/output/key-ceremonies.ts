import type { Json, JsonObject } from "../../base/json.ts";
import { wrapText } from "../go-text.ts";
import type { Cell, Outcome } from "../outcome.ts";
import { plainValue } from "./plain-values.ts";

type Row = readonly [string, Cell];

const has = (body: JsonObject, key: string): boolean => plainValue(body[key] ?? "") !== "";

/** The texts of a list in an answer. */
export function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(plainValue) : [];
}

/** `Key 1: …`, one line each. */
export function keyLines(label: string, keys: readonly string[]): readonly string[] {
  return keys.map((key, index) => `${label} ${index + 1}: ${key}`);
}

/** Where a rekey stands, in Vault's rows. */
export function rekeyStatusOutcome(status: JsonObject): Outcome {
  const text = (key: string): string => plainValue(status[key] ?? "");
  const rows: Row[] = [
    ["Nonce", text("nonce")],
    ["Started", text("started")],
  ];
  if (status.started === true) {
    rows.push(
      ["Progress", `${text("progress")}/${text("required")}`],
      ["New Shares", text("n")],
      ["New Threshold", text("t")],
      ["Verification Required", text("verification_required")],
    );
    if (has(status, "verification_nonce")) rows.push(["Verification Nonce", text("verification_nonce")]);
  }
  return { show: "table", header: ["Key", "Value"], rows, data: status };
}

/** Where the verification of new keys stands. */
export function verifyStatusOutcome(status: JsonObject): Outcome {
  const text = (key: string): string => plainValue(status[key] ?? "");
  return {
    show: "table",
    header: ["Key", "Value"],
    rows: [
      ["Started", text("started")],
      ["New Shares", text("n")],
      ["New Threshold", text("t")],
      ["Verification Nonce", text("nonce")],
      ["Verification Progress", `${text("progress")}/${text("t")}`],
    ],
    data: status,
  };
}

/** The new keys, which are shown this once. */
export function rekeyDoneOutcome(body: JsonObject): Outcome {
  const advice =
    body.verification_required === true
      ? "The new keys are not valid yet: the present ones still open the store. Give the new ones back with `vsec operator rekey -verify`, each by its holder, under the verification nonce below. Until enough of them have been given back, nothing has changed."
      : "The store has new keys, and the former ones open it no more. Hand each of the new ones to its holder, and keep none of them together: they are shown this once, and without enough of them a sealed store stays sealed.";
  const verification = has(body, "verification_nonce")
    ? ["", `Verification nonce: ${plainValue(body.verification_nonce ?? "")}`]
    : [];
  const lines = [
    "",
    ...keyLines("Key", textsOf(body.keys_base64)),
    "",
    `Operation nonce: ${plainValue(body.nonce ?? "")}`,
    "",
    wrapText(advice),
    ...verification,
  ];
  return { show: "text", text: lines.join("\n"), data: body };
}

/** Where the generation of a root token stands, in two columns without a header. */
export function rootStatusOutcome(status: JsonObject): Outcome {
  const text = (key: string): string => plainValue(status[key] ?? "");
  const rows: Row[] = [
    ["Nonce", text("nonce")],
    ["Started", text("started")],
    ["Progress", `${text("progress")}/${text("required")}`],
    ["Complete", text("complete")],
  ];
  if (has(status, "pgp_fingerprint")) rows.push(["PGP Fingerprint", text("pgp_fingerprint")]);
  if (has(status, "encoded_token")) rows.push(["Encoded Token", text("encoded_token")]);
  if (has(status, "otp")) rows.push(["OTP", text("otp")]);
  if (has(status, "otp_length")) rows.push(["OTP Length", text("otp_length")]);
  return { show: "table", rows, data: status };
}
