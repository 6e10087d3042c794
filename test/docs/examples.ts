/** Runs the examples of a page as its reader would: in order, in one shell, on one machine. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Command, type Figure, type Piece, piecesOf, type ShownFile } from "./page.ts";
import { Place, type ServerName, Servers, serverMissing } from "./place.ts";
import { expressionFor, normalised } from "./printed.ts";

/** What is needed to run a page's examples. */
export interface PageExamples {
  /** Its path in the repository. */
  readonly page: string;
  /** Without these nothing of the page runs. */
  readonly needs?: readonly ServerName[];
  /** Makes what the page takes for granted, and says what stands for what. */
  prepare?(at: Place): Promise<void> | void;
  /** Commands that cannot be run here, by how they begin; each with the reason. Undefined: it can be run on this machine. */
  readonly skip?: Readonly<Record<string, string | undefined>>;
  /** Commands that stay until they are ended, by how they begin: what shows that one does what it is for. */
  readonly stays?: Readonly<Record<string, (at: Place) => boolean | Promise<boolean>>>;
  /** What is to be seen after a command, by how it begins, besides its exit code and what the page shows. */
  readonly after?: Readonly<Record<string, (at: Place, printed: string) => Promise<void> | void>>;
  /** What is done with a file at its place on the page, by its name, or why nothing can be: for those that no command of the page names. */
  readonly files?: Readonly<Record<string, Use | string>>;
  /** Fences that hold neither commands nor a file, by how they begin: what is done with one, or why nothing can be. */
  readonly figures?: Readonly<Record<string, Use | string>>;
}

type Use = (at: Place, text: string) => Promise<void> | void;

/** The value that is declared for a text, by how the text begins. */
function declaredFor<T>(table: Readonly<Record<string, T>> | undefined, text: string): T | undefined {
  return Object.entries(table ?? {}).find(([start]) => text.startsWith(start))?.[1];
}

/** Declares the tests of some pages, which share their servers. */
export function describePages(pages: readonly PageExamples[]): void {
  const servers = new Servers();
  afterAll(() => servers.stop());
  for (const page of pages) {
    const missing = (page.needs ?? []).map(serverMissing).find((reason) => reason !== undefined);
    const title = `the examples of ${page.page}${missing === undefined ? "" : ` (${missing})`}`;
    describe.skipIf(missing !== undefined)(title, () => describePage(page, servers));
  }
}

function describePage(page: PageExamples, servers: Servers): void {
  const pieces = piecesOf(page.page);
  let at: Place;
  beforeAll(async () => {
    at = new Place(servers);
    await page.prepare?.(at);
    for (const piece of pieces) if (piece.kind === "file") writeFile(at, piece);
  });
  afterAll(() => at?.close());
  for (const piece of pieces) {
    if (piece.kind === "command") testCommand(page, piece, () => at);
    else testUse(page, piece, () => at);
  }
  test("declare nothing that the page has no more", () => {
    expect([...staleIn(page, pieces), ...staleTexts(at, pieces)]).toEqual([]);
  });
}

function writeFile(at: Place, { name, text }: ShownFile): void {
  const file = at.at(name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, at.here(text), { mode: 0o600 });
  if (text.startsWith("#!")) chmodSync(file, 0o700);
}

function testCommand(page: PageExamples, { line, command, shown }: Command, at: () => Place): void {
  const reason = declaredFor(page.skip, command);
  const name = `line ${line}: ${command.split("\n")[0]}`;
  test.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, async () => {
    const place = at();
    const isUp = declaredFor(page.stays, command);
    const typed = declaredFor(Object.fromEntries(place.typed), command) ?? "";
    const here = place.here(command);
    const ran = await (isUp === undefined
      ? place.shell.run(here, typed)
      : place.shell.runUntil(here, typed, () => isUp(place)));
    if (isUp === undefined && ran.code !== 0)
      expect(`exit code ${ran.code}\n${ran.printed}`).toBe("exit code 0");
    if (shown.length > 0) expect(normalised(place.onPage(ran.printed))).toMatch(expressionFor(shown));
    await declaredFor(page.after, command)?.(place, ran.printed);
  });
}

function testUse(page: PageExamples, piece: ShownFile | Figure, at: () => Place): void {
  const use = piece.kind === "file" ? page.files?.[piece.name] : declaredFor(page.figures, piece.text);
  if (use === undefined) return;
  const name = `line ${piece.line}: ${piece.kind === "file" ? piece.name : piece.text.split("\n")[0]}`;
  if (typeof use === "string") test.skip(`${name} (${use})`, () => undefined);
  else test(name, async () => use(at(), at().here(piece.text)));
}

/** What a page shows that neither runs nor is listed with a reason: its lines. */
export function unaccounted(page: PageExamples): readonly string[] {
  const pieces = piecesOf(page.page);
  const commands = pieces.filter((piece) => piece.kind === "command");
  const run = commands.filter(({ command }) => declaredFor(page.skip, command) === undefined);
  const texts = [
    ...run.map(({ command }) => command),
    ...pieces.flatMap((it) => (it.kind === "file" ? [it.text] : [])),
  ];
  const isUsed = ({ name }: ShownFile) =>
    page.files?.[name] !== undefined || texts.some((text) => text.includes(name.replace(/^~\//, "")));
  const isListed = ({ text }: Figure) => declaredFor(page.figures, text) !== undefined;
  return pieces
    .filter(
      (piece) => (piece.kind === "file" && !isUsed(piece)) || (piece.kind === "figure" && !isListed(piece)),
    )
    .map(({ line }) => `${page.page}:${line}`);
}

/** Declarations that fit nothing on the page. */
function staleIn(page: PageExamples, pieces: readonly Piece[]): readonly string[] {
  const commands = pieces.flatMap((piece) => (piece.kind === "command" ? [piece.command] : []));
  const figures = pieces.flatMap((piece) => (piece.kind === "figure" ? [piece.text] : []));
  const files = pieces.flatMap((piece) => (piece.kind === "file" ? [piece.name] : []));
  const fitsNone = (table: object | undefined, texts: readonly string[]) =>
    Object.keys(table ?? {}).filter((start) => !texts.some((text) => text.startsWith(start)));
  return [
    ...[page.skip, page.stays, page.after].flatMap((table) => fitsNone(table, commands)),
    ...fitsNone(page.figures, figures),
    ...fitsNone(page.files, files),
  ];
}

function staleTexts(at: Place, pieces: readonly Piece[]): readonly string[] {
  const commands = pieces.flatMap((piece) => (piece.kind === "command" ? [piece.command] : []));
  const texts = pieces
    .flatMap((piece) => (piece.kind === "command" ? [piece.command, ...piece.shown] : [piece.text]))
    .join("\n");
  return [
    ...[...at.replaced.keys()].filter((text) => !texts.includes(text)),
    ...[...at.typed.keys()].filter((start) => !commands.some((command) => command.startsWith(start))),
  ];
}
