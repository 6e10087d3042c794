import { badRequest } from "../base/errors.ts";
import type { TemplateValue } from "./go-format.ts";
import {
  callFunction,
  isFunction,
  isTruthy,
  LAZY_FUNCTIONS,
  TEXT_CHARS_MAX,
  type TemplateContext,
  tooLong,
} from "./template-functions.ts";
import { TemplateSyntaxError } from "./template-lex.ts";
import { type Expression, parseTemplate, type TemplateNode } from "./template-parse.ts";

export type { TemplateContext } from "./template-functions.ts";

/** A name template, parsed. */
export interface NameTemplate {
  /**
   * Makes a name.
   * @param data - The fields: `DisplayName`, `RoleName`.
   * @throws ApiError 400 `unable to apply template: …`, for an unknown field as well.
   */
  run(data: Readonly<Record<string, string>>, context: TemplateContext): string;
}

const TEMPLATE_CHARS_MAX = 4096;

/**
 * Parses a template of Vault's for user names: Go's `text/template` (texts, pipelines, parens, `if`/`else if`/`else`,
 * comments, trim markers; no variables and loops) with Vault's functions.
 * @throws ApiError 400 `missing template` for an empty text, or `unable to parse template: …`.
 * @see reference: username and name templates.
 */
export function compileNameTemplate(source: string): NameTemplate {
  if (source === "") throw badRequest("missing template");
  const nodes = parse(source);
  return {
    run(data, context) {
      try {
        return render(nodes, { source, data, context });
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        throw badRequest(`unable to apply template: ${error.message}`, error);
      }
    },
  };
}

function parse(source: string): readonly TemplateNode[] {
  try {
    if (source.length > TEMPLATE_CHARS_MAX) {
      throw new TemplateSyntaxError(0, `longer than ${TEMPLATE_CHARS_MAX} characters`);
    }
    return parseTemplate(source, isFunction);
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error;
    const { line } = positionOf(source, error.at);
    throw badRequest(`unable to parse template: template: template:${line}: ${error.message}`, error);
  }
}

/** Lines count from 1, columns from 0, as in Go's messages. */
function positionOf(source: string, at: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)?.length ?? 0 };
}

interface Run {
  readonly source: string;
  readonly data: Readonly<Record<string, string>>;
  readonly context: TemplateContext;
}

function render(nodes: readonly TemplateNode[], run: Run): string {
  let text = "";
  for (const node of nodes) {
    if (node.type === "text") text += node.text;
    else if (node.type === "output") text += String(evaluate(node.value, run));
    else text += render(isTruthy(evaluate(node.condition, run)) ? node.then : node.otherwise, run);
    if (text.length > TEXT_CHARS_MAX) throw tooLong();
  }
  return text;
}

function evaluate(expression: Expression, run: Run): TemplateValue {
  switch (expression.type) {
    case "value":
      return expression.value;
    case "field": {
      const { name, at } = expression;
      const value = Object.hasOwn(run.data, name) ? run.data[name] : undefined;
      if (value !== undefined) return value;
      throw failure(run, at, `.${name}`, `can't evaluate field ${name}`);
    }
    case "call":
      return LAZY_FUNCTIONS.has(expression.name)
        ? evaluateLazy(expression, run)
        : evaluateCall(expression, run);
  }
}

type Call = Extract<Expression, { type: "call" }>;

function evaluateCall({ name, args, at }: Call, run: Run): TemplateValue {
  const values = args.map((arg) => evaluate(arg, run));
  try {
    return callFunction(name, values, run.context);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw failure(run, at, name, error.message);
  }
}

/** `and` gives its first empty argument, `or` its first other one; each the last, when there is none. */
function evaluateLazy({ name, args, at }: Call, run: Run): TemplateValue {
  let value: TemplateValue | undefined;
  for (const arg of args) {
    value = evaluate(arg, run);
    if (isTruthy(value) === (name === "or")) break;
  }
  if (value === undefined) {
    throw failure(run, at, name, `wrong number of args for ${name}: want at least 1 got 0`);
  }
  return value;
}

function failure(run: Run, at: number, what: string, message: string): SyntaxError {
  const { line, column } = positionOf(run.source, at);
  return new SyntaxError(
    `template: template:${line}:${column}: executing "template" at <${what}>: ${message}`,
  );
}
