import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainTable } from "../../src/cli/output/table.ts";

const cell = fc.string({ unit: "grapheme-ascii", maxLength: 12 });
const table = fc
  .integer({ min: 2, max: 4 })
  .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1 }));

test("a table of plain characters looks as the library draws it", async () => {
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      // One character beyond ASCII, no wider than any cell, has the library draw the same rows.
      const drawn = await plainTable(undefined, [...rows, (rows[0] ?? []).map(() => "é")]);
      const lines = drawn.split("\n").slice(0, rows.length);
      expect(await plainTable(undefined, rows)).toBe(`${lines.join("\n")}\n`);
    }),
  );
});
