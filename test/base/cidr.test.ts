import { describe, expect, test } from "bun:test";
import { areCidrsWithin, isAddressIn, parseCidr } from "../../src/base/cidr.ts";
import { matchesGlob } from "../../src/base/glob.ts";

describe("an address block", () => {
  test.each(["10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "::1", "0.0.0.0/0", "::/0"])("%s is one", (text) => {
    expect(parseCidr(text)).not.toBeNull();
  });

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::/129",
    "fe80::1%eth0",
    "x",
  ])("%p is none", (text) => {
    expect(parseCidr(text)).toBeNull();
  });

  test.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["::ffff:10.1.2.3", "10.0.0.0/8", true],
    ["2001:db8::5", "2001:db8::/32", true],
    ["2001:db9::5", "2001:db8::/32", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "0.0.0.0/0", true],
    ["10.1.2.3", "::/0", false],
    ["::ffff:10.1.2.3", "::/0", false],
    ["::ffff:a01:203", "10.1.0.0/16", true],
    ["::1", "::/0", true],
    ["10.0.0.0/8", "10.0.0.0/8", false],
    ["", "0.0.0.0/0", false],
    [null, "127.0.0.1", true],
    [null, "::1/128", true],
    [null, "10.0.0.0/8", false],
  ])("%p in %s: %p", (address, block, isIn) => {
    expect(isAddressIn(address, [block])).toBe(isIn);
  });

  test("lies within another that has fewer bits", () => {
    expect(areCidrsWithin(["10.1.0.0/16", "10.2.0.1"], ["192.0.2.0/24", "10.0.0.0/8"])).toBe(true);
    expect(areCidrsWithin(["10.0.0.0/7"], ["10.0.0.0/8"])).toBe(false);
    expect(areCidrsWithin(["2001:db8::1"], ["0.0.0.0/0"])).toBe(false);
  });
});

describe("a glob", () => {
  test.each([
    ["a*", "a", true],
    ["a*", "b", false],
    ["*b", "ab", true],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "acb", false],
    ["aa*aa", "aaa", false],
    ["*", "", true],
    ["a.c", "abc", false],
    ["", "", true],
  ])("%p and %p: %p", (pattern, text, fits) => {
    expect(matchesGlob(pattern, text)).toBe(fits);
  });
});
