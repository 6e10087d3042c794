import { isJsonObject, type Json, type JsonObject } from "../../base/json.ts";
import type { Format } from "../global-options.ts";
import { wrapText } from "../go-text.ts";
import type { Cell, Outcome } from "../outcome.ts";
import { fieldOf } from "./field.ts";
import { compareKeys, rowValue } from "./plain-values.ts";
import { secretRows } from "./secret-rows.ts";
import { sectionsText } from "./sections.ts";
import { secretShape, structuredText } from "./structured.ts";
import { plainTable } from "./table.ts";

/** How an answer is to be shown. */
export interface View {
  readonly format: Format;
  readonly field?: string;
  /** A newline follows the value that `-field` prints: a person is reading. */
  readonly newlineAfterField: boolean;
}

/** What goes where. */
export interface Rendered {
  readonly stdout: string;
  /** The server's warnings, where the text on standard output has no place for them. */
  readonly warnings: readonly string[];
}

const SILENT: Rendered = { stdout: "", warnings: [] };

/** Turns what a command answered into text; the only place where that happens. */
export function render(outcome: Outcome, view: View): Promise<Rendered> | Rendered {
  const isTable = view.format === "table";
  switch (outcome.show) {
    case "nothing":
    // Bytes are no text: whoever shows outcomes writes them as they are.
    case "bytes":
      return SILENT;
    case "line":
      return {
        stdout: isTable || outcome.when === "always" ? `${outcome.text}\n` : "",
        warnings: warningsOf(outcome.body ?? {}),
      };
    case "secret":
      return renderSecret(outcome, view);
    case "sections":
      return renderSections(outcome, view);
    case "keys":
      return renderKeys(outcome.body, outcome.detailed, view);
    case "table":
      return isTable ? renderTable(outcome.header, outcome.rows) : structured(outcome.data, view.format);
    case "text":
      return isTable
        ? plain(`${outcome.text.replace(/\n$/, "")}\n`)
        : structured(outcome.data, view.format, outcome.compact);
  }
}

const plain = (stdout: string): Rendered => ({ stdout, warnings: [] });

async function structured(data: Json, format: Format, compact = false): Promise<Rendered> {
  return plain(await structuredText(data, format, compact));
}

async function renderTable(
  header: readonly string[] | undefined,
  rows: readonly (readonly Cell[])[],
): Promise<Rendered> {
  return plain(await plainTable(header, rows));
}

function warningsOf(body: JsonObject): readonly string[] {
  return Array.isArray(body.warnings) ? (body.warnings as readonly Json[]).map(String) : [];
}

async function renderSecret(outcome: Outcome & { show: "secret" }, view: View): Promise<Rendered> {
  const { body } = outcome;
  const field = outcome.field ?? view.field;
  if (view.format === "env" || view.format === "dotenv") {
    const { environmentText } = await import("./environment.ts");
    return { stdout: environmentText(body, view.format, field), warnings: warningsOf(body) };
  }
  const warnings = view.format === "table" ? warningsOf(body) : [];
  if (field !== undefined) {
    const { data, text } = fieldOf(body, field);
    const isPlain = view.format === "table" || view.format === "raw";
    const value = isPlain ? text : (await structuredText(data, view.format)).replace(/\n$/, "");
    return { stdout: view.newlineAfterField ? `${value}\n` : value, warnings };
  }
  if (view.format === "raw") return plain(`${JSON.stringify(body)}\n`);
  if (view.format !== "table") return structured(secretShape(body), view.format);
  const rows = secretRows(body);
  const stdout = rows.length === 0 ? "" : await plainTable(["Key", "Value"], rows);
  return { stdout, warnings };
}

async function renderSections(outcome: Outcome & { show: "sections" }, view: View): Promise<Rendered> {
  const { body } = outcome;
  const isWhole = view.format === "table" && view.field === undefined && !isJsonObject(body.wrap_info);
  if (!isWhole) return renderSecret({ show: "secret", body }, view);
  return { stdout: await sectionsText(outcome.sections), warnings: warningsOf(body) };
}

async function renderKeys(body: JsonObject, detailed: boolean, view: View): Promise<Rendered> {
  if (isJsonObject(body.wrap_info)) return renderSecret({ show: "secret", body }, view);
  const data = isJsonObject(body.data) ? body.data : {};
  const keys = Array.isArray(data.keys) ? (data.keys as readonly Json[]).map(String) : [];
  if (view.format !== "table") return structured(detailed ? secretShape(body) : keys, view.format);
  const sorted = [...keys].sort(compareKeys);
  const info = isJsonObject(data.key_info) ? data.key_info : {};
  const infoOf = (key: string): JsonObject => {
    const entry = info[key];
    return isJsonObject(entry) ? entry : {};
  };
  const attributes = detailed
    ? [...new Set(sorted.flatMap((key) => Object.keys(infoOf(key))))].sort(compareKeys)
    : [];
  const rows = sorted.map((key): Cell[] => {
    const entry = infoOf(key);
    const cells = attributes.map((name) =>
      Object.hasOwn(entry, name) ? rowValue(name, entry[name] ?? null) : null,
    );
    return [key, ...cells];
  });
  return { stdout: await plainTable(["Keys", ...attributes], rows), warnings: warningsOf(body) };
}

/** The server's warnings as a person reads them, before the answer. */
export function warningsText(warnings: readonly string[]): string {
  if (warnings.length === 0) return "";
  const items = warnings.map((warning) => `${wrapText(`* ${warning}`, 2)}\n\n`);
  return `WARNING! The following warnings were returned from vsec:\n\n${items.join("")}`;
}
