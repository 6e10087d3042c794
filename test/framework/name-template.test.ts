import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { ApiError } from "../../src/base/errors.ts";
import { compileNameTemplate } from "../../src/framework/name-template.ts";
import { seededRandom } from "./seeded-random.ts";

const NOW_MS = Date.UTC(2024, 1, 29, 13, 4, 5, 67);

function run(template: string, data: Record<string, string> = {}): string {
  const fields = { DisplayName: "token", RoleName: "myrolename", ...data };
  return compileNameTemplate(template).run(fields, { random: seededRandom(template), nowMs: NOW_MS });
}

/** Vault's default templates for these databases. */
const POSTGRESQL =
  '{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}';
const MYSQL =
  '{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 10) (.RoleName | truncate 10) (random 20) (unix_time) | truncate 32 }}';
const MYSQL_LEGACY = '{{ printf "v-%s-%s" (.RoleName | truncate 4) (random 20) | truncate 16 }}';
const CASSANDRA =
  '{{ printf "v_%s_%s_%s_%s" (.DisplayName | truncate 15) (.RoleName | truncate 15) (random 20) (unix_time) | truncate 100 | replace "-" "_" | lowercase }}';
const ORACLE =
  '{{ printf "V_%s_%s_%s_%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 30 | uppercase | replace "-" "_" | replace "." "_" }}';
const AWS =
  '{{ if (eq .Type "STS") }}{{ printf "vault-%s-%s" (unix_time) (random 20) | truncate 32 }}{{ else }}{{ printf "vault-%s-%s-%s" (printf "%s-%s" (.DisplayName) (.PolicyName) | truncate 42) (unix_time) (random 20) | truncate 64 }}{{ end }}';

describe("the databases' own templates give the names Vault gives", () => {
  test.each<[string, string, Record<string, string>, RegExp]>([
    ["PostgreSQL", POSTGRESQL, {}, /^v-token-myrolena-[A-Za-z0-9]{20}-[0-9]{10}$/],
    [
      "PostgreSQL, long",
      POSTGRESQL,
      { DisplayName: "amuchlonger_dispname", RoleName: "role-name-with-dashes" },
      /^v-amuchlon-role-nam-[A-Za-z0-9]{20}-[0-9]{10}$/,
    ],
    ["MySQL", MYSQL, {}, /^v-token-myrolename-[A-Za-z0-9]{13}$/],
    ["MySQL legacy", MYSQL_LEGACY, {}, /^v-myro-[A-Za-z0-9]{9}$/],
    ["Cassandra", CASSANDRA, { RoleName: "my-role" }, /^v_token_my_role_[a-z0-9]{20}_[0-9]{10}$/],
    ["Oracle", ORACLE, { RoleName: "my-role" }, /^V_TOKEN_MY_ROLE_[A-Z0-9]{14}$/],
    ["AWS, STS", AWS, { Type: "STS", PolicyName: "p" }, /^vault-[0-9]{10}-[A-Za-z0-9]{15}$/],
    ["AWS, IAM", AWS, { Type: "IAM", PolicyName: "p" }, /^vault-token-p-[0-9]{10}-[A-Za-z0-9]{20}$/],
  ])("%s", (_name, template, data, wanted) => {
    expect(run(template, data)).toMatch(wanted);
  });
});

const SHA = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a template is written out", () => {
  test.each([
    ["plain", "plain"],
    ["{ { }} }", "{ { }} }"],
    ["a{{.DisplayName}}b", "atokenb"],
    ["{{ .DisplayName }}_{{ .RoleName }}", "token_myrolename"],
    ["{{(.DisplayName)}}", "token"],
    ["{{((.DisplayName|uppercase))}}", "TOKEN"],
    ['{{ "quoted \\" \\\\ \\t \\x41 \\101 \\u00e9 \\U0001F600 }}" }}', 'quoted " \\ \t A A é 😀 }}'],
    ['{{ `raw \\n "}}` }}', 'raw \\n "}}'],
    ["{{ 5 }}{{ -3 }}{{ 0x1F }}{{ 017 }}", "5-33115"],
    ["{{ true }}", "true"],
    ["a {{- .DisplayName -}} b", "atokenb"],
    ["a \n\t{{-  .DisplayName  -}}\r\n b", "atokenb"],
    ["a {{/* comment }} */}} b", "a  b"],
    ["a {{- /* comment */ -}} b", "ab"],
    ["{{\n.DisplayName\n|\nuppercase\n}}", "TOKEN"],
    ['{{ truncate 3 "abcdef" }}', "abc"],
    ['{{ "abcdef" | truncate 3 }}', "abc"],
    ['{{ "abc" | truncate 3 }}', "abc"],
    ['{{ "aé" | truncate 2 }}', "a"],
    ['{{ "aé" | truncate 3 }}', "aé"],
    ['{{ "abcdefghijkl" | truncate_sha256 12 }}', "abcdefghijkl"],
    ['{{ "abcdefghijklm" | truncate_sha256 12 }}', `abcd${SHA("efghijklm").slice(0, 8)}`],
    ['{{ "aBc" | uppercase }}{{ "aBc" | lowercase }}', "ABCabc"],
    ['{{ "a.b.c" | replace "." "-" }}', "a-b-c"],
    ['{{ "a.b" | replace "." "" }}', "ab"],
    ['{{ "é$&" | replace "" "$&" }}', "$&é$&$$&&$&"],
    ['{{ "abc" | sha256 }}', SHA("abc")],
    ['{{ "abc" | base64 }}{{ "YWJj" | decode_base64 }}', "YWJjabc"],
    ['{{ "Jk" | hex }}{{ "4a6B" | decode_hex }}', "4a6bJk"],
    ["{{ unix_time }}", "1709211845"],
    ["{{ unix_time_millis }}", "1709211845067"],
    ['{{ timestamp "2006-01-02T15:04:05Z07:00" }}', "2024-02-29T13:04:05Z"],
    ['{{ printf "%s-%d-%05d-%v-%q" "a" 5 42 true "x" }}', 'a-5-00042-true-"x"'],
    ['{{ "b" | printf "%s%s" "a" }}', "ab"],
    ['{{ printf "%s" unix_time }}', "1709211845"],
    ['{{ print "a" 1 2 "b" }}', "a1 2b"],
    ['{{ len "aé" }}', "3"],
    ["{{ if .DisplayName }}yes{{ else }}no{{ end }}", "yes"],
    ['{{ if "" }}yes{{ else }}no{{ end }}', "no"],
    ["{{ if 0 }}yes{{ end }}", ""],
    ['{{ if eq .DisplayName "x" "token" }}yes{{ end }}', "yes"],
    ['{{ if (eq .DisplayName "x") }}a{{ else if eq .DisplayName "token" }}b{{ else }}c{{ end }}', "b"],
    ['{{ if ne .DisplayName "token" }}a{{ else if false }}b{{ else }}c{{ end }}', "c"],
    ['{{ if not (and (eq 1 1) (eq "a" "b")) }}yes{{ end }}', "yes"],
    ['{{ or "" .DisplayName }}{{ and "a" "" }}', "token"],
    ["{{ or true (.Nothing) }}", "true"],
    ["{{ if true }}{{ if false }}a{{ else }}b{{ end }}c{{ end }}d", "bcd"],
    ["{{ if true -}} a {{- else -}} b {{- end }} c", "a c"],
  ])("%j", (template, wanted) => {
    expect(run(template)).toBe(wanted);
  });

  test("with random characters of base 62, anew each time", () => {
    expect(run("{{ random 40 }}")).toMatch(/^[A-Za-z0-9]{40}$/);
    const [first, second] = run("{{ random 20 }} {{ random 20 }}").split(" ");
    expect(first).not.toBe(second as string);
  });

  test("with a random UUID", () => {
    expect(run("{{ uuid }}")).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return error.errors.join();
    throw error;
  }
  throw new TypeError("nothing was refused");
}

describe("a template is not accepted", () => {
  test("when it is empty", () => {
    expect(refusal(() => compileNameTemplate(""))).toBe("missing template");
  });

  test.each([
    ["{{", ":1: unclosed action"],
    ["{{ .DisplayName", ":1: unclosed action"],
    ["\n\n{{ .DisplayName }", ':3: unexpected "}" in command'],
    ["{{}}", ":1: missing value for command"],
    ["{{ | uppercase }}", ":1: missing value for command"],
    ["{{ .DisplayName | }}", ":1: missing command after |"],
    ["{{ () }}", ":1: missing value for parenthesized pipeline"],
    ["{{ (.DisplayName }}", ":1: unclosed left paren"],
    ["{{ .DisplayName) }}", ":1: unexpected right paren"],
    ["{{ nosuch }}", ':1: function "nosuch" not defined'],
    ["{{ constructor }}", ':1: function "constructor" not defined'],
    ['{{ "open }}', ":1: unterminated quoted string"],
    ["{{ `open }}", ":1: unterminated raw quoted string"],
    ['{{ "\\z" }}', ":1: bad escape \\z in a string"],
    ['{{ "\\uD800" }}', ":1: bad escape \\uD800 in a string"],
    ["{{ 1.5 }}", ':1: bad number syntax: "1.5"'],
    ["{{ 5x }}", ':1: bad number syntax: "5x"'],
    ["{{ 99999999999999999999 }}", ':1: bad number syntax: "99999999999999999999"'],
    ["{{ . }}", ':1: unexpected "." in command'],
    ["{{ $x }}", ':1: unexpected "$" in command'],
    ["{{ 'a' }}", ':1: unexpected "\'" in command'],
    ["{{ .A.B }}", ":1: fields have no fields of their own"],
    ['{{ .DisplayName "x" }}', ":1: can't give argument to non-function"],
    ["{{ .RoleName | .DisplayName }}", ":1: can't give argument to non-function"],
    ['{{ (uppercase "a") "b" }}', ":1: can't give argument to non-function"],
    ['{{ .RoleName | "x" }}', ":1: non executable command in pipeline stage 2"],
    ["{{ .RoleName | 5 }}", ":1: non executable command in pipeline stage 2"],
    ["{{ if }}{{ end }}", ":1: missing value for if"],
    ["{{ if true }}", ":1: unexpected EOF"],
    ["{{ if true }}{{ else }}", ":1: unexpected EOF"],
    ["{{ if true }}{{ else }}{{ else }}{{ end }}", ":1: unexpected {{else}}"],
    ["{{ end }}", ":1: unexpected {{end}}"],
    ["{{ else }}", ":1: unexpected {{else}}"],
    ["{{ if true }}{{ end 5 }}", ":1: unexpected operand after end"],
    ["{{ if true }}{{ else 5 }}{{ end }}", ":1: unexpected operand after else"],
    ["{{ printf end }}", ":1: unexpected <end>"],
    ["{{ range .X }}{{ end }}", ':1: "range" is not supported'],
    ["{{ with .X }}{{ end }}", ':1: "with" is not supported'],
    ["{{/* open", ":1: unclosed comment"],
    ["{{/* a */ .X }}", ":1: comment ends before closing delimiter"],
    [`{{ ${"(".repeat(60)}1${")".repeat(60)} }}`, ":1: nested deeper than 50 levels"],
    ["{{ if true }}".repeat(60), ":1: nested deeper than 50 levels"],
    ["a".repeat(4097), ":1: longer than 4096 characters"],
  ])("%j", (template, reason) => {
    expect(refusal(() => compileNameTemplate(template))).toBe(
      `unable to parse template: template: template${reason}`,
    );
  });
});

describe("a template fails when it runs", () => {
  test.each([
    ["{{ .Nothing }}", "<.Nothing>: can't evaluate field Nothing"],
    ["{{ .constructor }}", "<.constructor>: can't evaluate field constructor"],
    ["{{ .__proto__ }}", "<.__proto__>: can't evaluate field __proto__"],
    ['{{ "a" | truncate 0 }}', "<truncate>: error calling truncate: max length must be > 0 but was 0"],
    ['{{ "a" | truncate -1 }}', "<truncate>: error calling truncate: max length must be > 0 but was -1"],
    [
      '{{ "a" | truncate_sha256 8 }}',
      "<truncate_sha256>: error calling truncate_sha256: max length must be > 8 but was 8",
    ],
    ["{{ random 0 }}", "<random>: error calling random: length must be > 0 but was 0"],
    ["{{ random 1000000000 }}", "<random>: error calling random: length must be <= 8192 but was 1000000000"],
    ["{{ random }}", "<random>: wrong number of args for random: want 1 got 0"],
    ["{{ unix_time 5 }}", "<unix_time>: wrong number of args for unix_time: want 0 got 1"],
    ["{{ printf }}", "<printf>: wrong number of args for printf: want at least 1 got 0"],
    ["{{ and }}", "<and>: wrong number of args for and: want at least 1 got 0"],
    ['{{ random "5" }}', "<random>: wrong type for value; expected int; got string"],
    ["{{ uppercase 5 }}", "<uppercase>: wrong type for value; expected string; got int"],
    ["{{ 5 | truncate 5 }}", "<truncate>: wrong type for value; expected string; got int"],
    ["{{ eq 1 true }}", "<eq>: error calling eq: incompatible types for comparison"],
    ["{{ eq 1 }}", "<eq>: error calling eq: missing argument for comparison"],
    ['{{ decode_base64 "a" }}', "<decode_base64>: error calling decode_base64: illegal base64 data"],
    [
      '{{ decode_base64 "/w==" }}',
      "<decode_base64>: error calling decode_base64: the decoded bytes are not text",
    ],
    ['{{ decode_hex "abc" }}', "<decode_hex>: error calling decode_hex: illegal hex data"],
    [
      '{{ printf "%9999d" 5 }}',
      "<printf>: error calling printf: printf: a width of more than 1024 is not supported",
    ],
  ])("%j", (template, reason) => {
    expect(refusal(() => run(template))).toBe(
      `unable to apply template: template: template:1:${columnOf(template, reason)}: executing "template" at ${reason}`,
    );
  });

  test("with the line and column of what failed", () => {
    expect(refusal(() => run('a\nb {{ "x" | truncate 0 }}'))).toContain("template:2:11:");
  });

  test("when its text grows without end", () => {
    const doubling = `{{ "aaaaaaaaaa" ${'| replace "" "aaaaaaaaaa" '.repeat(20)} }}`;
    expect(refusal(() => run(doubling))).toContain("the text is longer than 8192 characters");
    expect(refusal(() => run("{{ random 8000 }}{{ random 8000 }}"))).toBe(
      "unable to apply template: the text is longer than 8192 characters",
    );
    expect(refusal(() => run("{{ random 5000 | hex }}"))).toContain(
      "the text is longer than 8192 characters",
    );
  });
});

/** Where the thing that a message names stands in a template. */
function columnOf(template: string, reason: string): number {
  return template.indexOf(/<(.*?)>/.exec(reason)?.[1] ?? "");
}

test("any text is a template, or is refused with a 400", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "{{",
      "}}",
      "{{-",
      "-}}",
      " ",
      "(",
      ")",
      "|",
      ".",
      ".RoleName",
      "if",
      "else",
      "end",
      '"',
      "`",
    ),
    fc.constantFrom(
      "truncate",
      "printf",
      "random",
      "eq",
      "5",
      "-1",
      '"a"',
      '"%s%d%q"',
      "replace",
      "/*",
      "*/",
      "\n",
    ),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        expect(typeof run(pieces.join(" "))).toBe("string");
      } catch (error) {
        expect(error).toBeInstanceOf(ApiError);
        expect((error as ApiError).status).toBe(400);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a name is cut to its limit in bytes, and never inside a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 9, max: 40 }), (drawn, max) => {
      // What stands for a damaged character must come from the cut, not from the name.
      const name = drawn.replaceAll("\ufffd", "");
      for (const cut of ["truncate", "truncate_sha256"]) {
        const text = run(`{{ .RoleName | ${cut} ${max} }}`, { RoleName: name });
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(max);
        expect(text).not.toContain("\ufffd");
      }
    }),
  );
});
