import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { allFlags } from "../../src/cli/command.ts";
import { CATALOGUE } from "../../src/cli/commands/index.ts";
import { ENVIRONMENT_VARIABLES } from "../../src/contract/environment.ts";
import { vsec } from "./fake-world.ts";

describe("every command", () => {
  test.each(CATALOGUE.commands.map((entry) => [entry.words, entry] as const))(
    "%s has help that fits",
    async (words, entry) => {
      const ran = await vsec([...words.split(" "), "-h"]);
      expect(ran.exitCode).toBe(0);
      const prose = ran.stdout.split("\n").filter((line) => !line.startsWith("    "));
      expect(prose.filter((line) => line.length > 78)).toEqual([]);
      const { command } = await entry.load();
      for (const [name, flag] of Object.entries(allFlags(command))) {
        expect(ran.stdout).toContain(`\n  -${name}`);
        expect(flag.text).toMatch(/\.$/);
        if (flag.env !== undefined)
          expect(ENVIRONMENT_VARIABLES.map((variable) => variable.name)).toContain(flag.env);
      }
    },
  );
});

describe("completion", () => {
  const script = async (shell: string) => (await vsec(["completion", shell])).stdout;

  /** What bash offers after these words. */
  function offered(text: string, words: readonly string[]): string[] {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const program = `${text}\ncompopt() { :; }\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _vsec; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = spawnSync("bash", ["--norc", "-c", program], { encoding: "utf8" });
    expect(ran.stderr).toBe("");
    return ran.stdout.trim().split("\n");
  }

  test.skipIf(!existsSync("/bin/bash"))(
    "for bash it parses, and completes commands, flags and values",
    async () => {
      const text = await script("bash");
      expect(spawnSync("bash", ["-n"], { input: text, encoding: "utf8" })).toMatchObject({
        status: 0,
        stderr: "",
      });
      expect(offered(text, ["vsec", "le"])).toEqual(["lease"]);
      expect(offered(text, ["vsec", "lease", "re"])).toEqual(["renew", "revoke"]);
      expect(offered(text, ["vsec", "lease", "revoke", "-p"])).toEqual(["-prefix"]);
      expect(offered(text, ["vsec", "operator", "init", "-seal", "=", "key"])).toEqual([
        "keychain",
        "key-file",
      ]);
      expect(offered(text, ["vsec", "completion", "f"])).toEqual(["fish"]);
    },
  );

  test.each(["zsh", "fish"])("for %s it names every command and flag", async (shell) => {
    const text = await script(shell);
    for (const entry of CATALOGUE.commands) {
      for (const word of entry.words.split(" ")) expect(text).toContain(word);
      const { command } = await entry.load();
      for (const name of Object.keys(allFlags(command))) {
        expect(text).toContain(shell === "fish" ? ` -o ${name} ` : `'-${name}`);
      }
    }
    const hasShell = spawnSync(shell, ["--version"]).status === 0;
    if (hasShell) expect(spawnSync(shell, ["-n"], { input: text }).status).toBe(0);
  });

  test("for another shell is refused", async () => {
    const ran = await vsec(["completion", "tcsh"]);
    expect([ran.exitCode, ran.stderr]).toEqual([1, 'Unknown shell "tcsh"; choose one of: bash, zsh, fish\n']);
  });
});
