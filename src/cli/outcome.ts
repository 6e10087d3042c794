import type { Json, JsonObject } from "../base/json.ts";

/** A cell of a table; null shows as `n/a`. */
export type Cell = string | null;

/**
 * What a command answers. Commands return data and never print; the renderer turns this into a table, JSON or YAML, so that
 * the formats cannot disagree.
 */
export type Outcome =
  /** Nothing at all. */
  | { readonly show: "nothing" }
  /** A sentence. `always`: in every format; `table`: only there (other formats print nothing). */
  | {
      readonly show: "line";
      readonly text: string;
      readonly when: "always" | "table";
      /** The answer that it stands for, whose warnings are shown. */
      readonly body?: JsonObject | undefined;
    }
  /** What is no JSON, as it came: a certificate, a CRL. */
  | { readonly show: "bytes"; readonly bytes: Uint8Array }
  /** An enveloped answer, which may hold a lease, a token or a wrapping token. */
  | {
      readonly show: "secret";
      readonly body: JsonObject;
      /** Show only this field, whatever `-field` says. */
      readonly field?: string;
    }
  /** Parts of an enveloped answer under banners; other formats, and `-field`, show the answer as `secret` does. */
  | { readonly show: "sections"; readonly body: JsonObject; readonly sections: readonly Section[] }
  /** The keys of an enveloped list answer. */
  | { readonly show: "keys"; readonly body: JsonObject; readonly detailed: boolean }
  /** Rows, with a header or without, and the same data for the other formats. */
  | {
      readonly show: "table";
      readonly header?: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      readonly data: Json;
    }
  /** Text for the table format, data for the others; `compact` data is one line of JSON. */
  | { readonly show: "text"; readonly text: string; readonly data: Json; readonly compact?: boolean };

/** A part of an answer under a banner: a line, or a table of names and values. */
export type Section = {
  readonly title: string;
} & ({ readonly line: string } | { readonly rows: JsonObject });

/** What a command's `run` gives back. */
export interface Result {
  readonly outcomes: readonly Outcome[];
  /** Absent: 0. */
  readonly exitCode?: number;
  /** The signal by which this process is to end once all is done, as what it ran did; the exit code is for where it cannot. */
  readonly signal?: NodeJS.Signals;
}

/** One outcome, exit 0. */
export function answer(...outcomes: readonly Outcome[]): Result {
  return { outcomes };
}

/**
 * A sentence that is printed in every format (administrative commands).
 * @param body - The API's answer, where it may have warnings.
 */
export function sentence(text: string, body?: JsonObject): Result {
  return answer({ show: "line", text, when: "always", body });
}

/** A sentence that only the table format prints (commands about data). */
export function tableSentence(text: string): Outcome {
  return { show: "line", text, when: "table" };
}
