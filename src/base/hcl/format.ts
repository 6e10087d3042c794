import { type Body, type Comment, type Entry, elementsOf, type Item, type Value } from "./ast.ts";
import { isJsonForm, parseHcl } from "./parse.ts";

const INDENT = "  ";

/**
 * The canonical form of a policy, or of any HCL 1: two spaces a level, `=` signs of neighbouring lines in one column, one
 * blank line around blocks and at most one elsewhere, comments kept. JSON stays JSON. Formatting again changes nothing.
 * @throws HclError when the text is not well-formed. What it says is not checked: any key passes.
 */
export function formatPolicy(text: string): string {
  const body = parseHcl(text);
  const lines = isJsonForm(text) ? [jsonObject(body, "")] : bodyLines(body, "");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** The lines of a body. A "line" of the result may hold line breaks where a value has some. */
function bodyLines({ entries }: Body, indent: string): string[] {
  const lines: string[] = [];
  const widths = keyWidths(entries);
  const isBlank = blankLines(entries);
  for (const [index, entry] of entries.entries()) {
    if (isBlank[index]) lines.push("");
    const line =
      entry.comment !== undefined
        ? entry.comment.raw
        : itemText(entry.element, indent, widths[index] ?? 0) + trailingText(entry.trailing);
    lines.push(indent + line);
  }
  return lines;
}

function trailingText(comments: readonly Comment[]): string {
  return comments.map(({ raw }) => ` ${raw}`).join("");
}

/**
 * Which entries have a blank line before them. Blocks stand apart; a comment stands with what it is about, and so apart
 * from what is before it.
 */
function blankLines(entries: readonly Entry<Item>[]): readonly boolean[] {
  const isBlank = entries.map((entry) => entry.blankBefore);
  let nextIsBlock = false;
  for (let index = entries.length - 1; index > 0; index -= 1) {
    const entry = entries[index];
    const before = entries[index - 1];
    if (entry === undefined || before === undefined) continue;
    if (entry.comment === undefined) nextIsBlock = isBlock(entry);
    if (before.comment === undefined && (isBlock(before) || nextIsBlock)) isBlank[index] = true;
  }
  return isBlank;
}

function isBlock(entry: Entry<Item>): boolean {
  return entry.comment === undefined && entry.element.value.kind === "object";
}

/** For each entry that is an assignment, the width that its key is padded to: the widest of the lines it stands among. */
function keyWidths(entries: readonly Entry<Item>[]): readonly number[] {
  const widths = entries.map(() => 0);
  let run: number[] = [];
  const close = (): void => {
    const width = run.reduce((most, index) => Math.max(most, keyOf(entries[index]).length), 0);
    for (const index of run) widths[index] = width;
    run = [];
  };
  for (const [index, entry] of entries.entries()) {
    const isLine = entry.comment === undefined && !isBlock(entry);
    if (!isLine || entry.blankBefore) close();
    if (isLine) run.push(index);
  }
  close();
  return widths;
}

function keyOf(entry: Entry<Item> | undefined): string {
  return entry === undefined || entry.comment !== undefined ? "" : keysText(entry.element);
}

function keysText({ keys }: Item): string {
  return keys.map(({ raw }) => raw).join(" ");
}

function itemText(item: Item, indent: string, width: number): string {
  const keys = keysText(item).padEnd(width);
  return `${keys} ${item.assigned ? "= " : ""}${valueText(item.value, indent)}`;
}

function valueText(value: Value, indent: string): string {
  switch (value.kind) {
    case "object": {
      const lines = bodyLines(value.body, indent + INDENT);
      return lines.length === 0 ? "{}" : ["{", ...lines, `${indent}}`].join("\n");
    }
    case "list":
      return listText(value, indent);
    default:
      return value.raw;
  }
}

function listText(list: Extract<Value, { kind: "list" }>, indent: string): string {
  const { entries } = list;
  if (entries.length === 0) return "[]";
  if (list.isOneLine && !isTall(list)) {
    return `[${elementsOf(entries)
      .map((value) => valueText(value, indent))
      .join(", ")}]`;
  }
  const inner = indent + INDENT;
  const lines = entries.map((entry, index) => {
    const gap = index > 0 && entry.blankBefore ? "\n" : "";
    if (entry.comment !== undefined) return `${gap}${inner}${entry.comment.raw}`;
    // A heredoc's mark has its line to itself.
    const comma = entry.element.kind === "heredoc" ? `\n${inner},` : ",";
    return `${gap}${inner}${valueText(entry.element, inner)}${comma}${trailingText(entry.trailing)}`;
  });
  return ["[", ...lines, `${indent}]`].join("\n");
}

/** True for values that take several lines, even where they were written on one: blocks, heredocs, what has comments. */
function isTall(value: Value): boolean {
  if (value.kind === "list") {
    return value.entries.some(
      (entry) => entry.comment !== undefined || entry.trailing.length > 0 || isTall(entry.element),
    );
  }
  return value.kind === "heredoc" || (value.kind === "object" && value.body.entries.length > 0);
}

function jsonObject(body: Body, indent: string): string {
  const inner = indent + INDENT;
  const members = elementsOf(body.entries).map(
    ({ keys, value }) => `${inner}${keys.map(({ raw }) => raw).join("")}: ${jsonText(value, inner)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function jsonText(value: Value, indent: string): string {
  if (value.kind === "object") return jsonObject(value.body, indent);
  if (value.kind !== "list") return value.raw;
  const elements = elementsOf(value.entries);
  if (!elements.some(isTall)) return `[${elements.map((it) => jsonText(it, indent)).join(", ")}]`;
  const inner = indent + INDENT;
  return `[\n${elements.map((it) => inner + jsonText(it, inner)).join(",\n")}\n${indent}]`;
}
