/** A session that answers by a script and remembers what it was told, for databases that cannot be run here. */

import { StatementRefused } from "../../../src/engines/database/failures.ts";

type Row = Readonly<Record<string, unknown>>;

/** One rule: what a statement that fits is answered. An error is thrown. Several lists of rows are given one after the other. */
export type Rule = readonly [pattern: RegExp, ...answers: (readonly Row[] | Error)[]];

export function refused(message: string, code: string): StatementRefused {
  return new StatementRefused(message, code);
}

export class Recorder {
  readonly said: string[] = [];
  readonly #rules: [RegExp, (readonly Row[] | Error)[]][];

  constructor(...rules: readonly Rule[]) {
    this.#rules = rules.map(([pattern, ...answers]) => [pattern, answers]);
  }

  query = async (text: string, values?: Readonly<Record<string, string>>): Promise<readonly Row[]> => {
    this.said.push(values === undefined ? text : `${text} ${JSON.stringify(values)}`);
    const rule = this.#rules.find(([pattern]) => pattern.test(text));
    const answers = rule?.[1] ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer ?? [];
  };
}
