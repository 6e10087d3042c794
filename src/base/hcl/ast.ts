import type { Position } from "./error.ts";

/*
 * A document of HCL 1, or of the JSON that stands for it, as written: order, repetition, comments and blank lines are kept,
 * so that it can be printed again. Names are never keys of JavaScript objects here, so none of them is special.
 */

/** What stands between braces, or in the whole file. */
export interface Body {
  readonly entries: readonly Entry<Item>[];
}

/** A comment with a line of its own, or an element; `blankBefore`: an empty line stands before it. */
export type Entry<T> =
  | { readonly comment: Comment; readonly blankBefore: boolean }
  | {
      readonly comment?: undefined;
      readonly element: T;
      readonly blankBefore: boolean;
      /** Comments that follow on the element's last line. */
      readonly trailing: readonly Comment[];
    };

export interface Comment {
  /** As written, with its marks. */
  readonly raw: string;
}

/** `key = value`, `key { … }` or `key "label" { … }`. */
export interface Item {
  /** At least one. */
  readonly keys: readonly Key[];
  /** True when a `=` (in JSON a `:`) stands before the value. */
  readonly assigned: boolean;
  readonly value: Value;
}

export interface Key {
  readonly text: string;
  /** As written: a bare word, or quoted. */
  readonly raw: string;
  readonly at: Position;
}

export type Value =
  | { readonly kind: "string"; readonly text: string; readonly raw: string; readonly at: Position }
  | { readonly kind: "heredoc"; readonly text: string; readonly raw: string; readonly at: Position }
  | { readonly kind: "number"; readonly number: number; readonly raw: string; readonly at: Position }
  | { readonly kind: "bool"; readonly bool: boolean; readonly raw: string; readonly at: Position }
  /** In JSON only. */
  | { readonly kind: "null"; readonly raw: string; readonly at: Position }
  | {
      readonly kind: "list";
      readonly entries: readonly Entry<Value>[];
      /** Written on one line. */
      readonly isOneLine: boolean;
      readonly at: Position;
    }
  | { readonly kind: "object"; readonly body: Body; readonly at: Position };

/** The elements of a body or list without the comments between them. */
export function elementsOf<T>(entries: readonly Entry<T>[]): readonly T[] {
  return entries.flatMap((entry) => (entry.comment === undefined ? [entry.element] : []));
}
