import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { maskForms } from "../../src/cli/run/mask-forms.ts";
import { Masker } from "../../src/cli/run/masker.ts";

const MASK = "********";

function maskerOf(...secrets: readonly string[]): Masker {
  const masker = new Masker();
  masker.add(secrets.flatMap(maskForms));
  return masker;
}

/** What comes out when the text comes in these pieces. */
function shown(masker: Masker, ...pieces: readonly string[]): string {
  const out = pieces.map((piece) => masker.write(Buffer.from(piece)).toString());
  return out.join("") + masker.flush().toString();
}

describe("masking", () => {
  test.each([
    ["itself", "a hunter2secret b", `a ${MASK} b`],
    ["twice", "hunter2secret,hunter2secret", `${MASK},${MASK}`],
    ["in a URL", "pg://u:hunter2secret@h", `pg://u:${MASK}@h`],
    ["in base64", `x ${btoa("hunter2secret")}`, `x ${MASK}0`],
    ["with a colour inside", "hunt\x1b[31mer2se\x1b[0mcret.", `${MASK}\x1b[31m\x1b[0m.`],
    [
      "with the end of all colours inside, as tput(1) writes it",
      "hunt\x1b(B\x1b[mer2secret.",
      `${MASK}\x1b(B\x1b[m.`,
    ],
    ["in the address of a link", "\x1b]8;;ftp://hunter2secret@h\x1b\\x", `\x1b]8;;ftp://${MASK}@h\x1b\\x`],
    ["in a string that never ends", "\x1b]0;\n hunter2secret", `\x1b]0;\n ${MASK}`],
    ["around a string", "hunt\x1b]0;title\x07er2secret", `${MASK}\x1b]0;title\x07${MASK}`],
    [
      "behind what is no sequence",
      "\x1b[\nhunter2secret \x1b\x1b[1mhunter2secret",
      `\x1b[\n${MASK} \x1b\x1b[1m${MASK}`,
    ],
    ["after the beginning of itself", "hunterhunter2secret", `hunter${MASK}`],
    ["after an escape sequence that is cut off", "\x1b[3", "\x1b[3"],
  ])("finds a secret %s", (_, text, expected) => {
    const masked = shown(maskerOf("hunter2secret"), text);
    if (text.startsWith("x ")) expect(masked).not.toContain(btoa("hunter2secret").slice(2, 14));
    else expect(masked).toBe(expected);
  });

  const odd = "p w'd\"<é/&(1)";
  test.each([
    ["JSON", JSON.stringify(odd)],
    ["Go's JSON", '"p w\'d\\"\\u003cé/\\u0026(1)"'],
    ["JSON in ASCII", '"p w\'d\\"<\\u00e9/&(1)"'],
    ["a URL", encodeURIComponent(odd)],
    ["a strict URL", "p%20w%27d%22%3C%C3%A9%2F%26%281%29"],
    ["a URL in lower case", "p%20w'd%22%3c%c3%a9%2f%26(1)"],
    ["a form", new URLSearchParams({ p: odd }).toString().slice(2)],
    ["a shell's quotes", "'p w'\\''d\"<é/&(1)'"],
    ["XML", "p w&#39;d&quot;&lt;é/&amp;(1)"],
  ])("finds it as %s has it", (_, text) => {
    expect(shown(maskerOf(odd), text).replace(/^['"]|['"]$/g, "")).toBe(MASK);
  });

  test("finds it in base64 whose lines are broken", () => {
    const secret = Array.from({ length: 40 }, (_, at) => `part${at}`).join("-");
    for (const width of [64, 76]) {
      const lines = btoa(secret)
        .replace(new RegExp(`.{${width}}`, "g"), "$&\n")
        .split("\n");
      const masked = shown(maskerOf(secret), lines.join("\n"));
      expect(masked).toMatch(/^(?:\*{8}\n)+\*{8}.{0,3}$/);
    }
  });

  test("holds no more back than a colour needs, whatever comes", () => {
    const masker = maskerOf("hunter2secret");
    const flood = Buffer.alloc(100_000, "x");
    const out = masker.write(Buffer.concat([Buffer.from("hunt\x1b]0;"), flood]));
    expect(out.length).toBeGreaterThan(90_000);
  });

  test("takes a whole file for a secret", () => {
    const line = "a line of the file ".repeat(8);
    const file = Array.from({ length: 1000 }, (_, at) => `${at} ${line}`).join("\n");
    expect(shown(maskerOf(file), `<900 ${line}>`)).toBe(`<${MASK}>`);
  });

  test("finds it in the base64 of something longer, wherever it begins there", () => {
    for (const before of ["", "a", "ab", "user:"]) {
      for (const encoding of ["base64", "base64url"] as const) {
        const encoded = Buffer.from(`${before}hunter2secret>?>~`).toString(encoding);
        const masked = shown(maskerOf("hunter2secret>?>~"), encoded);
        expect(masked).toContain(MASK);
        expect(masked.replace(MASK, "").length).toBeLessThan(before.length * 2 + 6);
      }
    }
  });

  test("finds a line of a value with several, and the value as a terminal shows it", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n";
    expect(shown(maskerOf(key), "kqhkiG9w0BAQEF")).toBe(MASK);
    expect(shown(maskerOf(key), key.replaceAll("\n", "\r\n"))).toBe(MASK);
  });

  test("shows what only begins like a secret, at the end or when it is asked for", () => {
    const masker = maskerOf("hunter2secret");
    expect(masker.write(Buffer.from("prompt h")).toString()).toBe("prompt ");
    expect(masker.held).toBe(1);
    expect(masker.flush().toString()).toBe("h");
    expect(masker.write(Buffer.from("unter2secret!")).toString()).toBe(`${MASK}!`);
  });

  test("holds nothing back after a whole secret", () => {
    expect(maskerOf("hunter2secret").write(Buffer.from("hunter2secret")).toString()).toBe(MASK);
  });

  test("masks the longer of two secrets, one of which begins the other", () => {
    expect(shown(maskerOf("hunter2", "hunter2secret"), "hunter2", "secret ", "hunter2 ")).toBe(
      `${MASK} ${MASK} `,
    );
  });

  test("leaves values alone that stand in every text", () => {
    expect(shown(maskerOf("root", ""), "root")).toBe("root");
  });

  test("knows secrets that come while it is at work", () => {
    const masker = maskerOf("hunter2secret");
    masker.write(Buffer.from("open sesame"));
    masker.add(maskForms("open sesame"));
    expect(shown(masker, "open sesame, hunter2secret")).toBe(`${MASK}, ${MASK}`);
  });

  test("gives the same however a text is split, and never a secret", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "hunter2secret",
        "hunter2",
        "abcabd",
        "abc",
        "\x1b[31m",
        "\x1b]0;t\x07",
        "\x1b(B",
        "\x1b]",
        "\x1b[",
        "h",
        "\n",
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.nat({ max: 9 }), { maxLength: 30 }),
        (texts, cuts) => {
          const text = texts.join("");
          const pieces: string[] = [];
          let rest = text;
          for (const cut of cuts) {
            pieces.push(rest.slice(0, cut));
            rest = rest.slice(cut);
          }
          const secrets = ["hunter2secret", "abcabd"];
          const whole = shown(maskerOf(...secrets), text);
          expect(shown(maskerOf(...secrets), ...pieces, rest)).toBe(whole);
          for (const secret of secrets) expect(whole).not.toContain(secret);
        },
      ),
      { numRuns: 300 },
    );
  });
});
