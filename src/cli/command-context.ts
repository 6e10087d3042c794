import { formatGoDuration } from "../base/duration.ts";
import type { Client } from "../client/client.ts";
import type { ApiResponse } from "../contract/wire.ts";
import type { Catalogue } from "./command.ts";
import type { CliWorld } from "./context.ts";
import type { DataSources } from "./data-args.ts";
import { PrintedInstead, remoteFailure } from "./failure.ts";
import type { GlobalOptions } from "./global-options.ts";
import {
  answerBeside,
  type CommandRequest,
  errorBlock,
  isNotFoundAnswer,
  isUnreachable,
  unreachable,
} from "./request.ts";
import { resolveToken } from "./token-helper.ts";

/** How one request is sent. */
export interface SendOptions {
  /** What stands before the error's text: `Error reading secret/foo`. Empty: nothing does. */
  readonly prefix: string;
  /** The answer is shown as it is, so `-wrap-ttl` applies to it; seconds: the default where none is asked for. */
  readonly wrap?: boolean | number;
  /** A token other than the resolved one; null: none at all. */
  readonly token?: string | null;
  /** A 404 that says nothing, or that carries data, is an answer and not an error. */
  readonly nothingIsAnswer?: boolean;
  /** Is sent also when the command's request is only to be shown: what that is depends on the answer. */
  readonly beforehand?: boolean;
}

/** What a command works with: one request after another, notes to the person, and the world. */
export class CommandContext {
  readonly world: CliWorld;
  readonly options: GlobalOptions;
  readonly catalogue: Catalogue;
  #client: Promise<Client> | undefined;

  constructor(world: CliWorld, options: GlobalOptions, catalogue: Catalogue) {
    this.world = world;
    this.options = options;
    this.catalogue = catalogue;
  }

  /** Where data arguments get what they name. */
  get sources(): DataSources {
    const { stdin, readFile } = this.world;
    return { stdin, readFile, interactive: !this.options.nonInteractive };
  }

  /** The client, opened at the first call. */
  client(): Promise<Client> {
    this.#client ??= this.world.openClient(this.options, this.world.env);
    return this.#client;
  }

  /** Ends the client if there is one; does not throw because it never opened. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  /** A line for the person, on standard error. */
  note(text: string): Promise<void> {
    return this.world.stderr.write(`${text}\n`);
  }

  /** A line on standard output while a command is still at work. */
  progress(text: string): Promise<void> {
    return this.world.stdout.write(`${text}\n`);
  }

  /**
   * Sends one request and returns the answer of a success (status below 400), or of a 404 where that counts as an answer.
   * @throws CommandFailure (exit 2) with the error block for a refusal; PrintedInstead when the request is only to be shown.
   */
  async send(request: CommandRequest, options: SendOptions): Promise<ApiResponse> {
    const wrapTtlSeconds = this.#wrapTtlSeconds(options);
    if (this.options.instead !== undefined && options.beforehand !== true)
      await this.#printInstead(request, wrapTtlSeconds);
    const token = options.token === undefined ? await resolveToken(this.world.env) : options.token;
    const client = await this.client();
    const response = await client
      .request({
        ...request,
        ...(token === undefined || token === null ? {} : { token }),
        ...(wrapTtlSeconds > 0 ? { wrapTtlSeconds } : {}),
      })
      .catch((error: unknown) => {
        throw isUnreachable(error) ? unreachable(options.prefix, error) : error;
      });
    if (response.status < 400) return response;
    if (options.nothingIsAnswer === true && isNotFoundAnswer(response)) return response;
    const block = errorBlock(request, client.url(request.path), response);
    const beside = answerBeside(response);
    throw remoteFailure(options.prefix === "" ? block : `${options.prefix}: ${block}`, {
      status: response.status,
      ...(beside === undefined ? {} : { outcome: { show: "secret", body: beside } }),
    });
  }

  #wrapTtlSeconds({ wrap }: SendOptions): number {
    if (wrap === undefined || wrap === false) return 0;
    return this.options.wrapTtlSeconds ?? (typeof wrap === "number" ? wrap : 0);
  }

  async #printInstead(request: CommandRequest, wrapTtlSeconds: number): Promise<never> {
    const { curlCommand, curlPlace, policyFor } = await import("./instead.ts");
    if (this.options.instead === "policy") throw new PrintedInstead(policyFor(request));
    const place = curlPlace(this.options, this.world.storeDirectory(this.options));
    if (!place.isThere)
      await this.note(
        "vsec: no daemon of this store is running, for curl to ask; start one with: vsec daemon",
      );
    const wrapTtl = wrapTtlSeconds > 0 ? formatGoDuration(wrapTtlSeconds) : undefined;
    throw new PrintedInstead(curlCommand(request, place, wrapTtl, this.options.headers));
  }
}
