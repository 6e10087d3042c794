import { connect } from "node:net";
import { VsecError } from "../base/errors.ts";
import { ANSWER_BYTES_MAX, type Exchange, type Incoming, type Outgoing, type Transport } from "./exchange.ts";

/**
 * Requests over a unix socket, in HTTP/1.0: the answer ends with the connection, so that nothing has to be parsed but its
 * head. Loading `node:http` instead takes about as long as a command has for everything else.
 */
export const unixTransport: Transport = (outgoing) => {
  const { promise, resolve, reject } = Promise.withResolvers<Incoming>();
  const socket = connect({ path: outgoing.address.kind === "unix" ? outgoing.address.path : "" });
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) reject(bad(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`));
  });
  let failure: unknown;
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => {
    // A refusal may come before all of the request was taken: then there is an answer beside the failure to write.
    try {
      resolve(parseAnswer(Buffer.concat(chunks)));
    } catch (error) {
      reject(failure ?? error);
    }
  });
  socket.write(messageText(outgoing));
  return {
    incoming: promise.finally(() => socket.destroy()),
    abort: () => socket.destroy(),
  } satisfies Exchange;
};

function messageText({ method, target, headers, body = "" }: Outgoing): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.0\r\nHost: localhost\r\n${lines.join("")}\r\n${body}`;
}

const END_OF_HEAD = "\r\n\r\n";

/** @throws VsecError UNREACHABLE for what is no answer, or not all of one. */
function parseAnswer(bytes: Buffer): Incoming {
  const end = bytes.indexOf(END_OF_HEAD);
  if (bytes.length === 0 || end === -1) throw bad("EOF");
  const head = bytes.toString("latin1", 0, end);
  const [, status] = /^HTTP\/1\.\d (\d{3})(?: |\r\n|$)/.exec(head) ?? [];
  if (status === undefined) throw bad("malformed HTTP response");
  const body = bytes.subarray(end + END_OF_HEAD.length);
  const [, length] = /\r\ncontent-length: *(\d+) *(?:\r\n|$)/i.exec(head) ?? [];
  if (length !== undefined && Number(length) !== body.length) throw bad("unexpected EOF");
  return { status: Number(status), bytes: body, location: undefined };
}

function bad(text: string): VsecError {
  return new VsecError("UNREACHABLE", text);
}
