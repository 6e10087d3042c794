import { COMPLETED_FROM_STORE } from "./candidates.ts";
import type { CommandWords, FlagWord } from "./words.ts";

/**
 * A completion script for a shell. It knows all commands and flags by itself; vsec is run for the names that only the store
 * knows, and then without looking after other people's leases.
 */
export function scriptFor(shell: "bash" | "zsh" | "fish", words: readonly CommandWords[]): string {
  switch (shell) {
    case "bash":
      return bashScript(words);
    case "zsh":
      return zshScript(words);
    case "fish":
      return fishScript(words);
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** Runs vsec for the names that are in the store. */
const ASK = "VSEC_SWEEP=off vsec complete -non-interactive";
const isCommand = (entry: CommandWords): boolean => entry.words !== "";

function bashCase(entry: CommandWords): string {
  const choices = [...entry.next.map((next) => next.word), ...entry.flags.map((flag) => flag.text)];
  return `    ${quoted(entry.words)}) choices=${quoted(choices.join(" "))} ;;\n`;
}

function valueCases(words: readonly CommandWords[]): string {
  const known = new Map<string, FlagWord>();
  for (const flag of words.flatMap((entry) => entry.flags)) {
    if (flag.values.length > 0) known.set(flag.text, flag);
  }
  return [...known.values()]
    .map((flag) => `    ${flag.text.slice(0, -1)}) choices=${quoted(flag.values.join(" "))} ;;\n`)
    .join("");
}

function bashScript(words: readonly CommandWords[]): string {
  const names = words.filter(isCommand).map((entry) => quoted(entry.words));
  const fromStore = COMPLETED_FROM_STORE.map(quoted);
  return `# bash completion for vsec; made by "vsec completion bash"
_vsec() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word choices="" candidate index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    candidate="\${path:+$path }$word"
    case "$candidate" in
    ${names.join(" | ")}) path="$candidate" ;;
    *) break ;;
    esac
  done
  if [[ "$current" == "=" || "\${COMP_WORDS[COMP_CWORD - 1]}" == "=" ]]; then
    local flag="\${COMP_WORDS[COMP_CWORD - 1]}"
    [[ "$flag" == "=" ]] && flag="\${COMP_WORDS[COMP_CWORD - 2]}"
    case "$flag" in
${valueCases(words)}    esac
    COMPREPLY=($(compgen -W "$choices" -- "\${current#=}"))
    return
  fi
  case "$path" in
${words.map(bashCase).join("")}  esac
  if [[ "$current" != -* ]]; then
    case "$path" in
    ${fromStore.join(" | ")}) choices+=" $(${ASK} "$path" "$current" 2>/dev/null)" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  [[ "\${COMPREPLY[0]:-}" == *[=/] ]] && compopt -o nospace
}
complete -o default -F _vsec vsec
`;
}

const oneLine = (text: string): string => text.replaceAll("\n", " ");

/** zsh takes `word:description`; colons of the word itself are escaped. */
function zshDescribed(word: string, description: string): string {
  return quoted(`${word.replaceAll(":", "\\:")}:${oneLine(description)}`);
}

function zshCase(entry: CommandWords): string {
  const items = [
    ...entry.next.map((next) => zshDescribed(next.word, next.synopsis)),
    ...entry.flags.map((flag) => zshDescribed(flag.text, flag.description)),
  ];
  return `    ${quoted(entry.words)}) choices=(${items.join(" ")}) ;;\n`;
}

function zshScript(words: readonly CommandWords[]): string {
  const names = words.filter(isCommand).map((entry) => quoted(entry.words));
  const fromStore = COMPLETED_FROM_STORE.map(quoted);
  return `#compdef vsec
# zsh completion for vsec; made by "vsec completion zsh"
_vsec() {
  local -a choices
  local route="" word candidate
  for word in "\${(@)words[2,CURRENT-1]}"; do
    candidate="\${route:+$route }$word"
    case "$candidate" in
    (${names.join(" | ")}) route="$candidate" ;;
    (*) break ;;
    esac
  done
  case "$route" in
${words.map((entry) => zshCase(entry).replace("    '", "    ('")).join("")}  esac
  if [[ "$words[CURRENT]" != -* ]]; then
    case "$route" in
    (${fromStore.join(" | ")})
      choices+=("\${(@)\${(@f)$(${ASK} "$route" "$words[CURRENT]" 2>/dev/null)}//:/\\\\:}") ;;
    esac
  fi
  _describe -o 'vsec' choices -S ''
  _files
}
if [[ "\${funcstack[1]:-}" == "_vsec" ]]; then
  _vsec "$@"
else
  compdef _vsec vsec
fi
`;
}

/** fish has its own escapes in single quotes: only the quote and the backslash. */
const fishQuoted = (text: string): string =>
  `'${oneLine(text).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function fishLines(entry: CommandWords): string {
  const condition = `-n ${fishQuoted(`__vsec_at ${entry.words === "" ? '""' : `"${entry.words}"`}`)}`;
  const next = entry.next.map(
    ({ word, synopsis }) => `complete -c vsec -f ${condition} -a ${word} -d ${fishQuoted(synopsis)}\n`,
  );
  const flags = entry.flags.map(({ text, description, values }) => {
    const name = text.replace(/^-/, "").replace(/=$/, "");
    const value = text.endsWith("=")
      ? ` -r${values.length > 0 ? ` -f -a ${fishQuoted(values.join(" "))}` : ""}`
      : "";
    return `complete -c vsec ${condition} -o ${name}${value} -d ${fishQuoted(description)}\n`;
  });
  const stored = COMPLETED_FROM_STORE.includes(entry.words)
    ? [`complete -c vsec -f ${condition} -a '(${ASK} "${entry.words}" (commandline -ct) 2>/dev/null)'\n`]
    : [];
  return [...next, ...flags, ...stored].join("");
}

function fishScript(words: readonly CommandWords[]): string {
  const names = words.filter(isCommand).map((entry) => fishQuoted(entry.words));
  return `# fish completion for vsec; made by "vsec completion fish"
function __vsec_at
    set -l route ""
    for word in (commandline -opc)[2..-1]
        set -l candidate (string trim -- "$route $word")
        if contains -- "$candidate" ${names.join(" ")}
            set route "$candidate"
        else
            break
        end
    end
    test "$route" = "$argv[1]"
end
${words.map(fishLines).join("")}`;
}
