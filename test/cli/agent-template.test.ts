import { describe, expect, test } from "bun:test";
import type { Delimiters } from "../../src/cli/agent/config-template.ts";
import { parseTemplate } from "../../src/cli/agent/template/parse.ts";
import { checkFunctions, renderTemplate } from "../../src/cli/agent/template/render.ts";

const SECRETS: Readonly<Record<string, object>> = {
  "database/creds/app": { username: "bob", password: 'p"w', roles: ["a", "b"] },
  "secret/data/app": { data: { token: "t", port: 5432 }, metadata: { version: 1 } },
};

async function render(template: string, errorOnMissingKey = false, delimiters?: Delimiters): Promise<string> {
  const nodes = parseTemplate(template, delimiters);
  checkFunctions(nodes);
  const world = {
    secret: async (path: string, parameters: readonly string[]) => ({
      Data: { ...SECRETS[path], ...(parameters.length === 0 ? {} : { parameters: [...parameters] }) },
      LeaseID: `${path}/1`,
      LeaseDuration: 60,
      Renewable: true,
    }),
    env: (name: string) => (name === "HOME" ? "/home/bob" : undefined),
    file: async (path: string) => `<${path}>`,
  };
  return renderTemplate(nodes, world, { errorOnMissingKey });
}

describe("templates in the language of Vault's agent", () => {
  test.each([
    [
      '{{ with secret "database/creds/app" }}u={{ .Data.username }} {{ .LeaseID }} {{ .LeaseDuration }}{{ end }}',
      "u=bob database/creds/app/1 60",
    ],
    [
      '{{- with secret "secret/data/app" -}}\n  {{ .Data.data.token }}:{{ .Data.data.port }}\n{{- end }}\n',
      "t:5432\n",
    ],
    ['{{ $s := secret "database/creds/app" }}{{ $s.Data.username }}', "bob"],
    ['{{ with $s := secret "database/creds/app" }}{{ $s.Data.username | toUpper }}{{ end }}', "BOB"],
    ['{{ (secret "database/creds/app").Data.username }}', "bob"],
    [
      '{{ with secret "pki/issue/x" "common_name=a.b" "ttl=1h" }}{{ .Data.parameters }}{{ end }}',
      "[common_name=a.b ttl=1h]",
    ],
    ['{{ env "HOME" }}{{ envOrDefault "NONE" "x" }}{{ file "/a" }}', "/home/bobx</a>"],
    ['{{ range $r := (secret "database/creds/app").Data.roles }}{{ $r }}{{ end }}', "ab"],
    [
      '{{ with secret "database/creds/app" }}{{ range $i, $r := .Data.roles }}{{ $i }}={{ $r }};{{ end }}{{ end }}',
      "0=a;1=b;",
    ],
    [
      '{{ with secret "secret/data/app" }}{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }} {{ end }}{{ end }}',
      "port=5432 token=t ",
    ],
    ['{{ if eq (env "HOME") "/x" }}a{{ else if env "NONE" }}b{{ else }}c{{ end }}', "c"],
    ['{{ with secret "none" }}{{ with .Data.x }}yes{{ else }}no{{ end }}{{ end }}', "no"],
    [
      '{{ with secret "database/creds/app" }}{{ .Data.password | toJSON }}{{ .Data.nope }}{{ end }}',
      '"p\\"w"<no value>',
    ],
    ['a {{/* a comment */}}b{{ "c" }}{{ `d` | printf "%s-%q" "e" }}', 'a bce-"d"'],
    [
      '{{ "a,b" | split "," | join "+" }}{{ base64Encode "x" | base64Decode }}{{ indent 2 "a\\nb" }}',
      "a+bx  a\n  b",
    ],
    ["{{ range (parseJSON `[]`) }}x{{ else }}none{{ end }}", "none"],
  ])("%s", async (template, expected) => {
    expect(await render(template)).toBe(expected);
  });

  test.each([
    ["a\n  {{ key `x` }}", /^2:6: the function "key" is not supported; these are: and, base64Decode/],
    ["{{ with secret `x` }}", /^1:1: "with" has no "end"$/],
    ["{{ end }}", /^1:1: "end" ends nothing$/],
    ["\n\n {{ .a", /^3:2: "{{" has no "}}" after it$/],
    ["{{ define `x` }}{{ end }}", /^1:4: "define" is not supported here$/],
    ["{{ a # b }}", /^1:6: "#" does not belong here$/],
    ["{{ }}", /^1:1: a value is missing$/],
    ["{{ $x }}", /^1:4: the variable \$x is not set$/],
  ])("%p is refused with its place", async (template, reason) => {
    await expect(render(template)).rejects.toThrow(reason);
  });

  test("delimiters may be others, so that other templates' stay as they are", async () => {
    const delimiters = { left: "[[", right: "]]" };
    const text = '{{ x }} [[- /* no */ -]]\n[[ env "HOME" -]]  {{ y }}';
    expect(await render(text, false, delimiters)).toBe("{{ x }}/home/bob{{ y }}");
    await expect(render("[[ .a", false, delimiters)).rejects.toThrow('1:1: "[[" has no "]]" after it');
  });

  test("a field that is not there is an error where that is asked for", async () => {
    const template = '{{ with secret "database/creds/app" }}\n{{ .Data.nope }}{{ end }}';
    await expect(render(template, true)).rejects.toThrow(/^2:4: there is no field "nope"$/);
  });
});
