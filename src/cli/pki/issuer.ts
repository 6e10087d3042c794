import { X509Certificate } from "node:crypto";
import type { JsonObject } from "../../base/json.ts";
import { dataOf } from "../answers.ts";
import type { CommandContext } from "../command-context.ts";
import { localFailure } from "../failure.ts";
import { dataPath } from "../paths.ts";

/** An issuer of a mount, as its own paths tell. */
export interface Issuer {
  /** `pki/issuer/default`: mount and reference, as they were asked for. */
  readonly path: string;
  readonly id: string;
  readonly name: string;
  readonly certificate: X509Certificate;
  /** PEM, its own first. */
  readonly chain: readonly string[];
}

/** Where an issuer is: its mount, and its reference there. */
export interface IssuerPath {
  readonly mount: string;
  readonly ref: string;
}

/** Null: the text is not of the form `mount/issuer/ref`. */
export function parseIssuerPath(text: string): IssuerPath | null {
  const [, mount, ref] = /^(.+)\/issuer\/([^/]+)$/.exec(dataPath(text)) ?? [];
  return mount === undefined || ref === undefined ? null : { mount, ref };
}

/** @throws CommandFailure (exit 1) when the path is of another form, or leads to no issuer. */
export async function fetchIssuer(context: CommandContext, text: string): Promise<Issuer> {
  const place = parseIssuerPath(text);
  if (place === null) {
    throw localFailure(`${text} is not the path of a PKI issuer, of the form mount/issuer/issuer-ref`);
  }
  const { id, name, certificate, chain } = await readIssuer(context, place);
  return { path: dataPath(text), id, name, certificate, chain };
}

async function readIssuer(context: CommandContext, { mount, ref }: IssuerPath): Promise<Issuer> {
  const path = `${mount}/issuer/${ref}`;
  const data = dataOf(await context.send({ method: "GET", path }, { prefix: `Error reading ${path}` }));
  return {
    path,
    id: textOf(data.issuer_id),
    name: textOf(data.issuer_name),
    certificate: certificateIn(data, path),
    chain: Array.isArray(data.ca_chain) ? data.ca_chain.map(String) : [],
  };
}

function certificateIn(data: JsonObject, path: string): X509Certificate {
  try {
    return new X509Certificate(textOf(data.certificate));
  } catch (error) {
    throw localFailure(`${path} has no certificate that can be read`, error);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** All issuers of a mount; with names where they have one and that is asked for. */
export async function issuersOf(
  context: CommandContext,
  mount: string,
  usesNames: boolean,
): Promise<readonly Issuer[]> {
  const path = `${dataPath(mount)}/issuers`;
  const response = await context.send(
    { method: "LIST", path },
    { prefix: `Error listing ${path}`, nothingIsAnswer: true },
  );
  const { keys } = dataOf(response);
  const issuers: Issuer[] = [];
  for (const id of Array.isArray(keys) ? keys.map(String) : []) {
    const issuer = await readIssuer(context, { mount: dataPath(mount), ref: id });
    const ref = usesNames && issuer.name !== "" ? issuer.name : id;
    issuers.push({ ...issuer, path: `${dataPath(mount)}/issuer/${ref}` });
  }
  return issuers;
}
