/**
 * As much of the tabular data stream protocol (MS-TDS) as the driver needs to log in and to run statements, so that the plugin
 * for Microsoft SQL Server can be seen at work on the wire. It knows no SQL: it answers by rules, as {@link Recorder} does.
 */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { StatementRefused } from "../../../../src/engines/database/failures.ts";
import type { Recorder } from "../recorder.ts";

const [BATCH, RPC, REPLY, TRANSACTION, LOGIN, PRELOGIN] = [0x01, 0x03, 0x04, 0x0e, 0x10, 0x12] as const;

type Row = Readonly<Record<string, unknown>>;

export interface TdsStub {
  readonly port: number;
  stop(): void;
}

export interface TdsOptions {
  /** The one that is accepted; any other is refused with error 18456. */
  readonly password: string;
  /** Encrypts with this certificate all that comes after the first message. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startTdsStub(recorder: Recorder, { password, tls }: TdsOptions): Promise<TdsStub> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  };
  const serve = (socket: Socket) =>
    onMessages(socket, (type, body) => answer(type, body, recorder, password));
  const inner =
    tls === undefined ? undefined : await listen(createTlsServer({ ...tls, maxVersion: "TLSv1.2" }, serve));
  const server = await listen(
    createServer((socket) => {
      keep(socket);
      if (inner === undefined) serve(socket);
      else encrypt(socket, inner, keep);
    }),
  );
  return {
    port: portOf(server),
    stop: () => {
      server.close();
      inner?.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** Two options, the version and the encryption: on, or not supported. */
function preloginReply(isEncrypted: boolean): Buffer {
  return Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, isEncrypted ? 1 : 2]);
}

/** Collects messages, and answers each. A packet's header: type, status (1: the message's last), length. */
function onMessages(socket: Socket, handle: (type: number, body: Buffer) => Promise<Buffer>): void {
  let pending: Buffer = Buffer.alloc(0);
  let message: Buffer = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 8 && pending.length >= pending.readUInt16BE(2)) {
      const length = pending.readUInt16BE(2);
      const [type = 0, status = 0] = pending;
      message = Buffer.concat([message, pending.subarray(8, length)]);
      pending = pending.subarray(length);
      if ((status & 1) === 0) continue;
      const whole = message;
      message = Buffer.alloc(0);
      void handle(type, whole).then((reply) => socket.write(packet(REPLY, reply)));
    }
  });
}

/**
 * Answers the first message, and then leads everything to the inner server: the handshake is within packets (MS-TDS 2.2.6.5), what
 * comes after it is not.
 */
function encrypt(socket: Socket, inner: Server, keep: (socket: Socket) => void): void {
  const tunnel = connect(portOf(inner), "127.0.0.1");
  keep(tunnel);
  let pending: Buffer = Buffer.alloc(0);
  let isFirst = true;
  let isShaken = false;
  tunnel.on("data", (records: Buffer) => socket.write(isShaken ? records : packet(PRELOGIN, records)));
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (!isShaken && pending[0] === PRELOGIN && pending.length >= pending.readUInt16BE(2)) {
      const length = pending.readUInt16BE(2);
      if (isFirst) socket.write(packet(REPLY, preloginReply(true)));
      else tunnel.write(pending.subarray(8, length));
      isFirst = false;
      pending = pending.subarray(length);
    }
    if (pending.length === 0 || pending[0] === PRELOGIN) return;
    isShaken = true;
    tunnel.write(pending);
    pending = Buffer.alloc(0);
  });
}

async function answer(type: number, message: Buffer, recorder: Recorder, password: string): Promise<Buffer> {
  switch (type) {
    case PRELOGIN:
      return preloginReply(false);
    case LOGIN:
      return passwordOf(message) === password
        ? Buffer.concat([loginAck(), done(0xfd)])
        : Buffer.concat([failure("Login failed for user 'admin'.", 18_456), done(0xfd, 2)]);
    case BATCH:
      return run(recorder, afterHeaders(message).toString("utf16le"), undefined, 0xfd);
    case RPC: {
      const [text, values] = procedureCall(afterHeaders(message));
      return run(recorder, text, values, 0xfe);
    }
    case TRANSACTION:
      return transaction(recorder, afterHeaders(message).readUInt16LE(0));
    default:
      return done(0xfd);
  }
}

async function run(
  recorder: Recorder,
  text: string,
  values: Record<string, string> | undefined,
  end: number,
): Promise<Buffer> {
  // What the driver says for itself: its settings, and whether a connection of its pool still answers.
  if (/^\s*(?:set ansi_nulls|SELECT 1;)/.test(text)) return done(end);
  try {
    const rows = table(await recorder.query(text, values));
    // Within a procedure the rows have an end of their own.
    return Buffer.concat(end === 0xfe ? [rows, done(0xff), done(end)] : [rows, done(end)]);
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error;
    return Buffer.concat([failure(error.message, Number(error.serverCode)), done(end, 2)]);
  }
}

async function transaction(recorder: Recorder, request: number): Promise<Buffer> {
  const [name, change] = ({ 5: ["BEGIN", 8], 7: ["COMMIT", 9], 8: ["ROLLBACK", 10] } as const)[
    request as 5
  ] ?? ["?", 8];
  await recorder.query(name);
  const descriptor = Buffer.concat([Buffer.from([8]), Buffer.alloc(8, 7)]);
  const [after, before] = request === 5 ? [descriptor, Buffer.from([0])] : [Buffer.from([0]), descriptor];
  const body = Buffer.concat([Buffer.from([change]), after, before]);
  return Buffer.concat([Buffer.from([0xe3]), uint16(body.length), body, done(0xfd)]);
}

/** The text and the text parameters of `sp_executesql`. */
function procedureCall(body: Buffer): [string, Record<string, string>] {
  // Its number, options; then the parameters, each: name, status, type 0xe7, size, collation, length, text.
  let at = 2 + 2 + 2;
  const parameters: [string, string][] = [];
  while (at < body.length) {
    const nameBytes = (body[at] ?? 0) * 2;
    const name = body.subarray(at + 1, at + 1 + nameBytes).toString("utf16le");
    at += 1 + nameBytes + 1;
    if (body[at] !== 0xe7) throw new Error("a parameter of another type than text");
    const isLong = body.readUInt16LE(at + 1) === 0xffff;
    at += 1 + 2 + 5;
    const size = isLong ? body.readUInt32LE(at + 8) : body.readUInt16LE(at);
    at += isLong ? 12 : 2;
    parameters.push([name.replace("@", ""), body.subarray(at, at + size).toString("utf16le")]);
    at += size + (isLong ? 4 : 0);
  }
  const [statement, , ...values] = parameters;
  return [statement?.[1] ?? "", Object.fromEntries(values)];
}

function afterHeaders(message: Buffer): Buffer {
  return message.subarray(message.readUInt32LE(0));
}

/** Each byte's halves are swapped, and the bits that 0xa5 has are turned (section 2.2.6.4). */
function passwordOf(message: Buffer): string {
  const [offset, length] = [message.readUInt16LE(44), message.readUInt16LE(46)];
  const bytes = message.subarray(offset, offset + length * 2).map((byte) => {
    const turned = byte ^ 0xa5;
    return ((turned << 4) | (turned >> 4)) & 0xff;
  });
  return Buffer.from(bytes).toString("utf16le");
}

function packet(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 1, 0, 0, 0, 0, 1, 0]);
  header.writeUInt16BE(body.length + 8, 2);
  return Buffer.concat([header, body]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** A text with its length in one byte. */
function short(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, "utf16le")]);
}

function token(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type]), uint16(body.length), body]);
}

function loginAck(): Buffer {
  return token(0xad, Buffer.from([1, 0x74, 0, 0, 4]), short("stub"), Buffer.from([16, 0, 0, 0]));
}

function failure(message: string, number: number): Buffer {
  const code = Buffer.alloc(6);
  code.writeInt32LE(number);
  code[4] = 1;
  code[5] = 16;
  const text = Buffer.concat([uint16(message.length), Buffer.from(message, "utf16le")]);
  return token(0xaa, code, text, short("stub"), short(""), Buffer.alloc(4));
}

function done(type: number, status = 0): Buffer {
  return Buffer.concat([Buffer.from([type]), uint16(status), uint16(0), Buffer.alloc(8)]);
}

/** Rows of texts. */
function table(rows: readonly Row[]): Buffer {
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) return Buffer.alloc(0);
  const column = (name: string) =>
    Buffer.concat([
      Buffer.alloc(4),
      uint16(1),
      Buffer.from([0xe7]),
      uint16(400),
      Buffer.alloc(5),
      short(name),
    ]);
  const value = (row: Row, name: string) => {
    const text = Buffer.from(String(row[name]), "utf16le");
    return Buffer.concat([uint16(text.length), text]);
  };
  return Buffer.concat([
    ...[Buffer.from([0x81]), uint16(names.length), ...names.map(column)],
    ...rows.flatMap((row) => [Buffer.from([0xd1]), ...names.map((name) => value(row, name))]),
  ]);
}
