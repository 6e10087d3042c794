import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Env } from "../../contract/environment.ts";
import { localFailure } from "../failure.ts";
import type { Credentials } from "../run/credentials.ts";
import type { AgentTemplate } from "./config-template.ts";
import { type Node, parseTemplate } from "./template/parse.ts";
import { checkFunctions, renderTemplate, type TemplateWorld } from "./template/render.ts";

/** A template that was read and checked. */
export interface ReadTemplate<T extends AgentTemplate> {
  readonly template: T;
  readonly nodes: readonly Node[];
}

/** Reads templates, so that a mistake in one is told before anything is begun. @throws CommandFailure that names file, line and column. */
export function readTemplates<T extends AgentTemplate>(
  templates: readonly T[],
  readFile: (path: string) => Promise<string>,
): Promise<readonly ReadTemplate<T>[]> {
  return Promise.all(
    templates.map(async (template) => {
      const { source } = template;
      const name = "path" in source ? source.path : "contents";
      try {
        const text = "path" in source ? await readFile(source.path) : source.contents;
        const nodes = parseTemplate(text, template.delimiters);
        checkFunctions(nodes);
        return { template, nodes };
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        const text = messageOf(error);
        throw localFailure(text.startsWith("open ") ? text : `${name}:${text}`, error);
      }
    }),
  );
}

/** What templates get: secrets as Vault's agent shows them, variables and files. */
export function templateWorld(
  credentials: Credentials,
  env: Env,
  clock: Clock,
  readFile: (path: string) => Promise<string>,
): TemplateWorld {
  return {
    async secret(path, parameters) {
      const pairs = parameters.map((text) => [text.replace(/=.*$/s, ""), text.replace(/^[^=]*=/, "")]);
      const credential = await credentials.read(
        path.replace(/^\/+|\/+$/g, ""),
        pairs.length === 0 ? undefined : (Object.fromEntries(pairs) as JsonObject),
      );
      const { lease, whole } = credential;
      return {
        Data: whole,
        LeaseID: lease?.id ?? "",
        LeaseDuration: lease === null ? 0 : Math.max(0, Math.round((lease.expiresAt - clock.now()) / 1000)),
        Renewable: lease?.renewable ?? false,
      };
    },
    env: (name) => (name.startsWith("VSEC_") ? undefined : env[name]),
    file: readFile,
  };
}

/** Renders one. @throws CommandFailure that names file, line and column, or says what could not be read. */
export async function renderOne<T extends AgentTemplate>(
  { template, nodes }: ReadTemplate<T>,
  world: TemplateWorld,
): Promise<string> {
  try {
    return await renderTemplate(nodes, world, { errorOnMissingKey: template.errorOnMissingKey });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const name = "path" in template.source ? template.source.path : "contents";
    throw localFailure(`${name}:${messageOf(error)}`, error);
  }
}
