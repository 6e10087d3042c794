import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "../binary/built.ts";
import { temporaryDirectory } from "../servers/process.ts";
import { mentionsOf, piecesOf } from "./page.ts";

const FENCE = "```";

const PAGE = `# A page

What \`vsec status\` says, and \`vsec read
secret/app\`, and \`vsec policy write NAME FILE\`.

${FENCE}console
$ vsec write a/b \\
    c=d
Success!

  indented
$ vsec policy write x - <<EOT
$ not a prompt
EOT
# whoami
${FENCE}

As in \`first.sql\`, here \`dir/second.sql\`:

${FENCE}sql
SELECT 1;
${FENCE}

What \`nobody\` names (that is, no file):

${FENCE}
\`vsec nothing/here\`
${FENCE}
`;

describe("a page", () => {
  const directory = temporaryDirectory("vsec-page-");
  const file = join(directory.path, "page.md");
  writeFileSync(file, PAGE);
  const page = relative(ROOT, file);
  afterAll(() => directory.remove());

  test("is read as commands with what they print, files with their names, and other fences", () => {
    expect(piecesOf(page)).toEqual([
      { kind: "command", line: 3, command: "vsec read secret/app", shown: [] },
      {
        kind: "command",
        line: 7,
        command: "vsec write a/b \\\n    c=d",
        shown: ["Success!", "", "  indented"],
      },
      {
        kind: "command",
        line: 12,
        command: "vsec policy write x - <<EOT\n$ not a prompt\nEOT",
        shown: [],
      },
      { kind: "command", line: 15, command: "whoami", shown: [] },
      { kind: "file", line: 20, name: "dir/second.sql", text: "SELECT 1;\n" },
      { kind: "figure", line: 26, text: "`vsec nothing/here`\n" },
    ]);
  });

  test("mentions commands that are not whole", () => {
    expect(mentionsOf(page).map(({ command }) => command)).toEqual([
      "vsec status",
      "vsec read secret/app",
      "vsec policy write NAME FILE",
    ]);
  });
});
