import { messageOf } from "../../../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../../base/json.ts";
import { FUNCTIONS, isTrue, shown, type Value } from "./functions.ts";
import { TemplateError } from "./lex.ts";
import type { Argument, Call, Node, Pipe } from "./parse.ts";

/** What a template gets from outside. */
export interface TemplateWorld {
  /** `secret "path" "k=v"…`: the answer as templates see it, with `.Data`, `.LeaseID` and so on. */
  secret(path: string, parameters: readonly string[]): Promise<JsonObject>;
  /** Undefined: there is no such variable. */
  env(name: string): string | undefined;
  file(path: string): Promise<string>;
}

export interface RenderOptions {
  /** A field that is not there is an error, not `<no value>`. */
  readonly errorOnMissingKey: boolean;
}

/** Every function's name, for a check before anything is rendered. */
const WORLD_FUNCTIONS: ReadonlySet<string> = new Set(["secret", "env", "envOrDefault", "mustEnv", "file"]);

/** @throws TemplateError for the first function that is not supported. */
export function checkFunctions(nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.kind === "text") continue;
    checkPipe(node.pipe);
    if ("then" in node) checkFunctions([...node.then, ...node.otherwise]);
  }
}

function checkPipe(pipe: Pipe): void {
  for (const call of pipe) {
    const { function: name } = call;
    if (name !== null && !FUNCTIONS.has(name) && !WORLD_FUNCTIONS.has(name)) {
      const known = [...FUNCTIONS.keys(), ...WORLD_FUNCTIONS].sort().join(", ");
      throw new TemplateError(`the function "${name}" is not supported; these are: ${known}`, call.at);
    }
    for (const argument of call.arguments) if (argument.kind === "pipe") checkPipe(argument.pipe);
  }
}

interface Scope {
  readonly dot: Value;
  readonly variables: Map<string, Value>;
}

/** Renders a checked template. @throws TemplateError, or what the world throws. */
export async function renderTemplate(
  nodes: readonly Node[],
  world: TemplateWorld,
  options: RenderOptions,
): Promise<string> {
  const renderer = new Renderer(world, options);
  return renderer.nodes(nodes, { dot: undefined, variables: new Map([["$", undefined]]) });
}

class Renderer {
  readonly #world: TemplateWorld;
  readonly #options: RenderOptions;

  constructor(world: TemplateWorld, options: RenderOptions) {
    this.#world = world;
    this.#options = options;
  }

  async nodes(nodes: readonly Node[], scope: Scope): Promise<string> {
    let out = "";
    for (const node of nodes) out += await this.#node(node, scope);
    return out;
  }

  async #node(node: Node, scope: Scope): Promise<string> {
    switch (node.kind) {
      case "text":
        return node.text;
      case "show":
        return shown(await this.#pipe(node.pipe, scope));
      case "set":
        scope.variables.set(node.name, await this.#pipe(node.pipe, scope));
        return "";
      case "if":
      case "with": {
        const value = await this.#pipe(node.pipe, scope);
        const inner = within(scope, node.kind === "with" ? value : scope.dot, [[node.variable, value]]);
        return isTrue(value)
          ? this.nodes(node.then, inner)
          : this.nodes(node.otherwise, within(scope, scope.dot, []));
      }
      case "range":
        return this.#range(node, scope);
    }
  }

  async #range(node: Node & { kind: "range" }, scope: Scope): Promise<string> {
    const items = itemsOf(await this.#pipe(node.pipe, scope));
    if (items.length === 0) return this.nodes(node.otherwise, within(scope, scope.dot, []));
    const [first = null, second = null] = node.variables;
    let out = "";
    for (const [key, value] of items) {
      const variables =
        second === null
          ? ([[first, value]] as const)
          : ([
              [first, key],
              [second, value],
            ] as const);
      out += await this.nodes(node.then, within(scope, value, variables));
    }
    return out;
  }

  async #pipe(pipe: Pipe, scope: Scope): Promise<Value> {
    let values: readonly Value[] = [];
    for (const call of pipe) values = [await this.#call(call, scope, values)];
    return values[0];
  }

  async #call(call: Call, scope: Scope, piped: readonly Value[]): Promise<Value> {
    const found: Value[] = [];
    for (const argument of call.arguments) found.push(await this.#argument(argument, scope, call));
    if (call.function === null) {
      if (piped.length > 0) throw new TemplateError("a value cannot take what is piped to it", call.at);
      return found[0];
    }
    return this.#apply(call, [...found, ...piped]);
  }

  async #apply(call: Call, values: readonly Value[]): Promise<Value> {
    const [first, second] = values;
    switch (call.function) {
      case "secret":
        return this.#world.secret(shown(first), values.slice(1).map(shown));
      case "env":
        return this.#world.env(shown(first)) ?? "";
      case "envOrDefault":
        return this.#world.env(shown(first)) ?? second;
      case "mustEnv": {
        const value = this.#world.env(shown(first));
        if (value === undefined) throw new TemplateError(`the variable ${shown(first)} is not set`, call.at);
        return value;
      }
      case "file":
        return this.#world.file(shown(first));
      default:
        try {
          return FUNCTIONS.get(call.function ?? "")?.(...values);
        } catch (error) {
          throw new TemplateError(`${call.function}: ${messageOf(error)}`, call.at);
        }
    }
  }

  async #argument(argument: Argument, scope: Scope, call: Call): Promise<Value> {
    if (argument.kind === "literal") return argument.value;
    if (argument.kind === "pipe")
      return this.#fields(await this.#pipe(argument.pipe, scope), argument.fields, call);
    const { variable, fields } = argument;
    if (variable !== null && !scope.variables.has(variable))
      throw new TemplateError(`the variable ${variable} is not set`, call.at);
    const start = variable === null ? scope.dot : scope.variables.get(variable);
    return this.#fields(start, fields, call);
  }

  #fields(start: Value, fields: readonly string[], call: Call): Value {
    return fields.reduce<Value>((value, field) => {
      if (isJsonObject(value) && Object.hasOwn(value, field)) return value[field];
      if (!this.#options.errorOnMissingKey) return undefined;
      throw new TemplateError(`there is no field "${field}"`, call.at);
    }, start);
  }
}

/** A scope inside another: what is set there is not seen outside, what is set outside is seen there. */
function within(scope: Scope, dot: Value, more: readonly (readonly [string | null, Value])[]): Scope {
  const variables = new Map(scope.variables);
  for (const [name, value] of more) if (name !== null) variables.set(name, value);
  return { dot, variables };
}

function itemsOf(value: Value): readonly (readonly [Json, Json])[] {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item, at) => [at, item]);
  if (!isJsonObject(value)) return [];
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key] ?? null]);
}
