import { readdir, readFile } from "node:fs/promises";
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, type AgentOptions, request as tlsRequest } from "node:https";
import path from "node:path";
import { messageOf } from "../../../../base/errors.ts";
import { isJsonObject, type JsonObject, parseJson } from "../../../../base/json.ts";
import type { ConnectionDriver } from "../../kept-connection.ts";
import { DatabaseError } from "../../plugin.ts";
import type { ElasticsearchSettings } from "./settings.ts";

/** What the server answered, when that is no failure of the connection or the login. */
export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** The security API, asked as the administrator over a few connections that are kept. */
export interface ElasticsearchConnection {
  /**
   * @param place - Below the security API, each segment escaped.
   * @throws DatabaseError `unreachable` without an answer, or with one of a proxy or an overloaded server; `auth` for 401.
   */
  ask(method: "GET" | "PUT" | "POST" | "DELETE", place: string, body?: JsonObject): Promise<Answer>;
  close(): void;
}

const REQUEST_MS_MAX = 20_000;
const CONNECTIONS_MAX = 4;
const ANSWER_BYTES_MAX = 4 * 1_048_576;

export function elasticsearchDriver(
  settings: ElasticsearchSettings,
): ConnectionDriver<ElasticsearchConnection> {
  return {
    open: () => open(settings),
    // Connections are the agent's business: it opens new ones when it has to.
    isAlive: async () => true,
    close: async (connection) => connection.close(),
  };
}

async function open(settings: ElasticsearchSettings): Promise<ElasticsearchConnection> {
  const isTls = settings.url.protocol === "https:";
  const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  const agent = isTls ? new Agent({ ...options, ...(await tlsOptions(settings)) }) : new PlainAgent(options);
  const login = Buffer.from(`${settings.username}:${settings.password}`).toString("base64");
  return {
    ask: async (method, place, body) => {
      const target = `${settings.url.pathname.replace(/\/$/, "")}${settings.prefix}${place}`;
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers = {
        authorization: `Basic ${login}`,
        accept: "application/json",
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      };
      return judge(await send(isTls, new URL(target, settings.url), { method, agent, headers }, text));
    },
    close: () => agent.destroy(),
  };
}

async function tlsOptions(settings: ElasticsearchSettings): Promise<AgentOptions> {
  const { authorityFile, authorityFolder, certificateFile, keyFile, serverName, isVerified } = settings;
  const authorities = await authoritiesOf(authorityFile, authorityFolder);
  return {
    rejectUnauthorized: isVerified,
    minVersion: "TLSv1.2",
    ...(serverName === "" ? {} : { servername: serverName }),
    ...(authorities.length === 0 ? {} : { ca: [...authorities] }),
    ...(certificateFile === "" ? {} : { cert: await pem(certificateFile), key: await pem(keyFile) }),
  };
}

async function authoritiesOf(file: string, folder: string): Promise<readonly string[]> {
  if (file !== "") return [await pem(file)];
  if (folder === "") return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable("ca_path", error);
  });
  return Promise.all(names.map((name) => pem(path.join(folder, name))));
}

/** A PEM text as it is, or the file that has one. */
async function pem(text: string): Promise<string> {
  if (text.includes("-----BEGIN")) return text;
  return readFile(text, "utf8").catch((error: unknown) => {
    throw unreadable(text, error);
  });
}

function unreadable(what: string, error: unknown): DatabaseError {
  return new DatabaseError("unreachable", `cannot read ${what}: ${messageOf(error)}`);
}

interface Sent {
  readonly method: string;
  readonly agent: Agent | PlainAgent;
  readonly headers: Readonly<Record<string, string | number>>;
}

function send(
  isTls: boolean,
  url: URL,
  options: Sent,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(new DatabaseError("unreachable", `no answer from ${url.host}: ${messageOf(error)}`));
    const handle = (response: IncomingMessage) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX)
          request.destroy(new DatabaseError("unreachable", "the answer is too long"));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", fail);
    };
    const request = (isTls ? tlsRequest : plainRequest)(url, { ...options, timeout: REQUEST_MS_MAX }, handle);
    request.on("timeout", () => request.destroy(new DatabaseError("unreachable", "it took too long")));
    request.on("error", fail);
    request.end(body);
  });
}

function judge({ status, text }: { readonly status: number; readonly text: string }): Answer {
  const body = bodyOf(text);
  if (status === 401)
    throw new DatabaseError("auth", reasonOf(body, "the login was refused"), { serverCode: "401" });
  if (status === 429 || status >= 500) {
    const reason = reasonOf(body, "the server is not able to answer");
    throw new DatabaseError("unreachable", `${reason} (status ${status})`, { serverCode: String(status) });
  }
  if (body === undefined)
    throw new DatabaseError("unreachable", `the answer is not Elasticsearch's (status ${status})`);
  return { status, body };
}

function bodyOf(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What Elasticsearch says of a failure, in one sentence. */
export function reasonOf(body: JsonObject | undefined, fallback: string): string {
  const error = body?.error;
  if (isJsonObject(error) && typeof error.reason === "string") return error.reason;
  return typeof error === "string" ? error : fallback;
}
