import { describe, expect, test } from "bun:test";
import { formatGo, type TemplateValue } from "../../src/framework/go-format.ts";
import { formatGoTime } from "../../src/framework/go-layout.ts";

describe("a time is written in Go's layouts", () => {
  const monday = Date.UTC(2006, 0, 2, 15, 4, 5, 120);
  const early = Date.UTC(2024, 10, 9, 0, 7, 8);
  test.each<[string, number, string]>([
    ["2006-01-02 15:04:05-0700", early, "2024-11-09 00:07:08+0000"],
    ["2006-01-02T15:04:05Z07:00", early, "2024-11-09T00:07:08Z"],
    ["2006-01-02T15:04:05.000Z", monday, "2006-01-02T15:04:05.120Z"],
    ["05.999", monday, "05.12"],
    ["05.999", early, "08"],
    ["05,000000", monday, "05,120000"],
    ["Mon Jan _2 15:04:05 MST 2006", early, "Sat Nov  9 00:07:08 UTC 2024"],
    ["Monday, 02-Jan-06", early, "Saturday, 09-Nov-24"],
    ["January 2, 2006 at 3:04pm", early, "November 9, 2024 at 12:07am"],
    ["3:4:5 PM", Date.UTC(2024, 0, 1, 13, 2, 3), "1:2:3 PM"],
    ["03", Date.UTC(2024, 0, 1, 12), "12"],
    ["1/2/06", early, "11/9/24"],
    ["002 __2", Date.UTC(2024, 1, 1), "032  32"],
    ["Z0700 Z07 -07 -07:00 -07:00:00 -070000", early, "Z Z +00 +00:00 +00:00:00 +000000"],
    ["20060102150405", early, "20241109000708"],
    ["_2006", early, "_2024"],
    ["Janet Month 1.0001", early, "Janet Month 11.0011"],
    ["no parts at all", early, "no parts at all"],
    ["", early, ""],
  ])("%s", (layout, ms, wanted) => {
    expect(formatGoTime(layout, ms)).toBe(wanted);
  });
});

describe("a format is filled as Go fills it", () => {
  test.each<[string, TemplateValue[], string]>([
    ["%s", ["a"], "a"],
    ["%5s|%-5s|%.2s|%5.1s", ["a", "b", "cde", "fg"], "    a|b    |cd|    f"],
    ["%v %v %v", ["a", 5, true], "a 5 true"],
    ["%q", ['a"b'], '"a\\"b"'],
    ["%d %+d % d %5d %-5d| %05d %05d", [1, 2, 3, 4, 5, 6, -7], "1 +2  3     4 5    | 00006 -0007"],
    ["%.3d %5.3d", [5, 5], "005   005"],
    ["%x %X %o %b %c", [255, 255, 8, 5, 233], "ff FF 10 101 é"],
    ["%x %X %.1x", ["hi", "jk", "hi"], "6869 6A6B 68"],
    ["%t", [false], "false"],
    ["100%%", [], "100%"],
    ["%é", ["a"], "%!é(string=a)"],
    ["%d", ["a"], "%!d(string=a)"],
    ["%s", [5], "%!s(int=5)"],
    ["%s", [true], "%!s(bool=true)"],
    ["%t", [1], "%!t(int=1)"],
    ["%s %s", ["a"], "a %!s(MISSING)"],
    ["%s", ["a", 5, "b"], "a%!(EXTRA int=5, string=b)"],
    ["%", [], "%!(NOVERB)"],
    ["a%5", [], "a%!(NOVERB)"],
    ["%2s", ["é"], " é"],
    ["%.1s", ["😀b"], "😀"],
  ])("%j", (format, args, wanted) => {
    expect(formatGo(format, args)).toBe(wanted);
  });

  test.each<[string]>([["%*d"], ["%[1]s"], ["%99999s"], ["%.99999d"]])(
    "except %j, which is refused",
    (format) => {
      expect(() => formatGo(format, [5])).toThrow(SyntaxError);
    },
  );
});
