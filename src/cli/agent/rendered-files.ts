import { copyFile } from "node:fs/promises";
import { messageOf } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";
import { runAfter, writeRendered } from "../render/target.ts";
import { pauseRenewing } from "../render/watch.ts";
import type { Credentials } from "../run/credentials.ts";
import type { FileTemplate, QuietTime } from "./config-template.ts";
import type { TemplateWorld } from "./template/render.ts";
import { type ReadTemplate, renderOne } from "./templates.ts";

type File = ReadTemplate<FileTemplate>;

export interface RenderedFilesOptions {
  readonly context: CommandContext;
  readonly credentials: Credentials;
  /** What templates get. */
  readonly world: TemplateWorld;
  /** The environment of commands. */
  readonly env: Readonly<Record<string, string>>;
  say(text: string): void;
}

/** The files of an agent's templates: written when they have changed and, where asked for, when that has come to rest. */
export class RenderedFiles {
  readonly #files: readonly File[];
  readonly #options: RenderedFilesOptions;
  /** What was written last, by template. */
  readonly #written = new Map<FileTemplate, string>();

  constructor(files: readonly File[], options: RenderedFilesOptions) {
    this.#files = files;
    this.#options = options;
  }

  /**
   * @param signal - Ends what is waited for: then what has changed is left for another time.
   * @throws CommandFailure for what cannot be rendered or written.
   */
  async render(signal: AbortSignal): Promise<void> {
    const waiting: File[] = [];
    for (const file of this.#files) {
      const text = await this.#textOf(file);
      // What is rendered for the first time is what somebody waits for.
      const isQuiet = file.template.wait === null || !this.#written.has(file.template);
      if (isQuiet) await this.#write(file, text, signal);
      else if (text !== this.#written.get(file.template)) waiting.push(file);
    }
    if (waiting.length > 0) await this.#writeAtRest(waiting, signal);
  }

  /** Waits until what these files are made of has not changed for their time, or that has taken too long. */
  async #writeAtRest(files: readonly File[], signal: AbortSignal): Promise<void> {
    const { context, credentials } = this.#options;
    const { clock } = context.world;
    const { secondsMin, secondsMax } = longest(files);
    const end = clock.now() + secondsMax * 1000;
    let before = "";
    for (;;) {
      const texts = await this.#textsOf(files);
      const isAtRest = JSON.stringify(texts) === before;
      if (isAtRest || clock.now() >= end) {
        for (const [index, file] of files.entries()) await this.#write(file, texts[index] ?? "", signal);
        return;
      }
      before = JSON.stringify(texts);
      await pauseRenewing(credentials, clock, signal, Math.min(secondsMin * 1000, end - clock.now()));
      if (signal.aborted) return;
      credentials.forgetStatic();
    }
  }

  async #textsOf(files: readonly File[]): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const file of files) texts.push(await this.#textOf(file));
    return texts;
  }

  #textOf(file: File): Promise<string> {
    return renderOne(file, this.#options.world);
  }

  async #write({ template }: File, text: string, signal: AbortSignal): Promise<void> {
    const { env, say } = this.#options;
    const { destination, mode, makesDirectories, keepsBackup, command, commandSeconds } = template;
    if (keepsBackup && this.#written.get(template) !== text) await this.#backUp(destination);
    const isNew = await writeRendered(destination, text, mode, makesDirectories);
    this.#written.set(template, text);
    if (!isNew) return;
    say(`rendered ${destination}`);
    if (command.length === 0) return;
    const problem = await runAfter(command, env, signal, commandSeconds * 1000);
    if (problem !== null) say(problem);
  }

  /** With the old file's mode, whatever it is. */
  async #backUp(path: string): Promise<void> {
    try {
      await copyFile(path, `${path}.bak`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // There was none.
      this.#options.say(`${path} could not be kept as ${path}.bak: ${messageOf(error)}`);
    }
  }
}

function longest(files: readonly File[]): QuietTime {
  const times = files.flatMap(({ template }) => (template.wait === null ? [] : [template.wait]));
  return {
    secondsMin: Math.max(...times.map(({ secondsMin }) => secondsMin)),
    secondsMax: Math.max(...times.map(({ secondsMax }) => secondsMax)),
  };
}
