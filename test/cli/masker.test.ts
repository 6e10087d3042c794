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
    ["after the beginning of itself", "hunterhunter2secret", `hunter${MASK}`],
    ["after an escape sequence that is cut off", "\x1b[3", "\x1b[3"],
  ])("finds a secret %s", (_, text, expected) => {
    const masked = shown(maskerOf("hunter2secret"), text);
    if (text.startsWith("x ")) expect(masked).not.toContain(btoa("hunter2secret").slice(2, 14));
    else expect(masked).toBe(expected);
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
      fc.constantFrom("hunter2secret", "hunter2", "abcabd", "abc", "\x1b[31m", "\x1b]0;t\x07", "h", "\n"),
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
          // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out here.
          const visible = whole.replace(/\x1b(?:\[[^@-~]*[@-~]|\][^\x07]*\x07|.)/g, "");
          for (const secret of secrets) expect(visible).not.toContain(secret);
        },
      ),
      { numRuns: 300 },
    );
  });
});
