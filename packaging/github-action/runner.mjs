// What a runner of GitHub Actions and a JavaScript action say to each other: inputs, outputs, variables, state, masks.
// Plain Node, nothing to install. The formats are in GitHub's documentation of workflow commands.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import process from "node:process";

/** An input of the action; empty when it is not given. */
export function input(name) {
  return (process.env[`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`] ?? "").trim();
}

/** Data of a workflow command, which is one line. */
function escaped(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * Keeps a secret out of the log. The runner masks line by line, so each line of it is a mask of its own; and so are the
 * forms in which programs print it: base64 (whole, and in the two ways in which it can stand within longer text), and JSON.
 */
export function mask(secret) {
  for (const form of formsOf(secret)) process.stdout.write(`::add-mask::${escaped(form)}\n`);
}

/** Masking one or two letters would only make a log unreadable, and shows what they are. */
const MASKED_LENGTH_MIN = 3;

export function formsOf(secret) {
  const lines = secret.split(/\r?\n/);
  const base64 = [secret, ...lines].flatMap((text) => [0, 1, 2].map((offset) => base64Within(text, offset)));
  const json = JSON.stringify(secret).slice(1, -1);
  const url = [secret, ...lines].map((text) => encodeURIComponent(text));
  const forms = [...lines, ...base64, json, ...url].map((form) => form.trim());
  return [...new Set(forms)].filter((form) => form.length >= MASKED_LENGTH_MIN);
}

/** The base64 of a text that `offset` bytes stand before: without the characters that those bytes, or later ones, decide. */
function base64Within(text, offset) {
  const bytes = Buffer.from(text, "utf8");
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const cutAtStart = offset === 0 ? 0 : offset + 1;
  const cutAtEnd = (offset + bytes.length) % 3 === 0 ? 0 : 1;
  return encoded.slice(cutAtStart, encoded.length - cutAtEnd);
}

/** A name and a value, which may have several lines, in the files that the runner reads after the step. */
function append(variable, name, value) {
  const file = process.env[variable];
  if (file === undefined || file === "")
    throw new Error(`${variable} is not set: this runs in GitHub Actions only`);
  const delimiter = `vsec_${randomUUID()}`;
  appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}

export const setOutput = (name, value) => append("GITHUB_OUTPUT", name, value);
export const exportVariable = (name, value) => append("GITHUB_ENV", name, value);
/** For the post step, which is another process. */
export const saveState = (name, value) => append("GITHUB_STATE", name, value);
export const savedState = (name) => process.env[`STATE_${name}`] ?? "";

/** Ends the step as failed. */
export function fail(message) {
  process.stdout.write(`::error::${escaped(message)}\n`);
  process.exitCode = 1;
}

/**
 * The job's identity token, from the runner. @throws Error when the job has no `permissions: id-token: write`.
 */
export async function identityToken(audience) {
  const url = process.env.ACTIONS_ID_TOKEN_REQUEST_URL;
  const bearer = process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  if (!url || !bearer)
    throw new Error("the job may not ask for an identity token: give it `permissions: id-token: write`");
  const asked = new URL(url);
  asked.searchParams.set("audience", audience);
  const response = await fetch(asked, { headers: { authorization: `bearer ${bearer}` } });
  if (!response.ok) throw new Error(`the runner gave no identity token (HTTP ${response.status})`);
  const { value } = await response.json();
  if (typeof value !== "string" || value === "") throw new Error("the runner gave no identity token");
  return value;
}
