import { defineCommand } from "../../command.ts";
import { collectWords } from "../../completion/words.ts";
import { localFailure } from "../../failure.ts";
import { answer } from "../../outcome.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const command = defineCommand({
  usage: "bash|zsh|fish",
  description: `
Prints a completion script: commands, flags, and the words that a flag takes.

    $ source <(vsec completion bash)
    $ vsec completion zsh > "\${fpath[1]}/_vsec"
    $ vsec completion fish > ~/.config/fish/completions/vsec.fish`,
  flags: {},
  args: { min: 1, max: 1 },
  output: {},
  requests: false,
  async run({ catalogue }, _flags, [name = ""]) {
    const shell = SHELLS.find((known) => known === name);
    if (shell === undefined)
      throw localFailure(`Unknown shell "${name}"; choose one of: ${SHELLS.join(", ")}`);
    const words = await collectWords(catalogue);
    const { scriptFor } = await import("../../completion/scripts.ts");
    const text = scriptFor(shell, words);
    return answer({ show: "line", text: text.trimEnd(), when: "always" });
  },
});
