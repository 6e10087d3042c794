/** That nothing which a page shows is left out silently, and that pages are found. */

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../binary/built.ts";
import { type PageExamples, unaccounted } from "./examples.ts";
import { piecesOf } from "./page.ts";
import { ACCESS_PAGES } from "./pages/access.ts";
import { AWS_PAGE } from "./pages/aws.ts";
import { DATABASES_PAGE } from "./pages/databases.ts";
import { ENGINE_PAGES } from "./pages/engines.ts";
import { POSTGRES_PAGES } from "./pages/postgres-pages.ts";
import { SERVICE_PAGES } from "./pages/services.ts";

const RUN: readonly PageExamples[] = [
  ...ACCESS_PAGES,
  ...ENGINE_PAGES,
  ...POSTGRES_PAGES,
  ...SERVICE_PAGES,
  AWS_PAGE,
  DATABASES_PAGE,
];

/** By their paths in the repository. */
const PAGES = [
  ...["docs", "docs/reference"].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  ),
  "README.md",
];

/** Made of declarations, which are tested where they stand. */
const isGenerated = (page: string): boolean => read(page).startsWith("<!-- Generated");

function read(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

describe("the documentation", () => {
  test.each(PAGES.filter(isGenerated))("%s, which is generated, shows no examples", (page) => {
    expect(read(page)).not.toContain("```");
  });

  test.each(PAGES.filter((page) => !isGenerated(page)))(
    "%s: each of its examples runs, or is listed with a reason",
    (page) => {
      const examples = RUN.find((candidate) => candidate.page === page);
      if (examples !== undefined) expect(unaccounted(examples)).toEqual([]);
      else expect(piecesOf(page).map(({ line }) => `${page}:${line}`)).toEqual([]);
    },
  );

  test("no page is declared that is not there, and none twice", () => {
    const declared = RUN.map(({ page }) => page);
    expect(
      declared.filter((page, index) => !PAGES.includes(page) || declared.indexOf(page) !== index),
    ).toEqual([]);
  });

  test("has every page in its index, and no link that leads nowhere", () => {
    const index = read("docs/README.md");
    const listed = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    expect(listed.filter((page) => !index.includes(`(${page.slice("docs/".length)})`))).toEqual([]);
    const broken = [...PAGES, "ARCHITECTURE.md"].flatMap((page) => {
      const text = read(page);
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to]) => to ?? "");
      return links.filter((to) => !existsSync(join(ROOT, dirname(page), to))).map((to) => `${page}: ${to}`);
    });
    expect(broken).toEqual([]);
  });
});
