import type { JsonObject } from "../../base/json.ts";
import type { Section } from "../outcome.ts";
import { dataRows } from "./secret-rows.ts";
import { plainTable } from "./table.ts";

/** The gap of a table and the word over its second column, which with the longest key make its width for a banner. */
const BESIDE_KEY_CHARS = "    Value".length;
const SIGNS_MIN = 4;

/** Sections one below the other, with an empty line between them. */
export async function sectionsText(sections: readonly Section[]): Promise<string> {
  const texts = await Promise.all(sections.map(sectionText));
  return texts.join("\n");
}

async function sectionText(section: Section): Promise<string> {
  if ("line" in section) return `${banner(section.title, section.line.length)}\n${section.line}\n`;
  const table = await plainTable(["Key", "Value"], dataRows(section.rows));
  return `${banner(section.title, tableWidth(section.rows))}\n${table}`;
}

function tableWidth(rows: JsonObject): number {
  return Math.max(0, ...Object.keys(rows).map((key) => key.length)) + BESIDE_KEY_CHARS;
}

/** A title between signs, as wide as what is below it: at least two signs on each side, and the same number on both. */
function banner(title: string, width: number): string {
  const free = width - title.length - 2;
  const signs = "=".repeat(Math.ceil((free <= 0 ? SIGNS_MIN : free) / 2));
  return `${signs} ${title} ${signs}`;
}
