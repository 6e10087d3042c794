import { createSocket, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";

const TYPE_A = 1;
const TYPE_TXT = 16;

/** A DNS server on a free port of this machine: TXT records as a test sets them, and 127.0.0.1 for every other name. */
export class DnsServer {
  readonly texts = new Map<string, readonly string[]>();
  /** Names that have another address, or none (""). */
  readonly addresses = new Map<string, string>();
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, from) => socket.send(this.#answer(message), from.port, from.address));
  }

  static async open(): Promise<DnsServer> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new DnsServer(socket);
  }

  /** `IP:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#socket.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(message: Buffer): Buffer {
    const end = message.indexOf(0, 12) + 5;
    const question = message.subarray(12, end);
    const name = nameOf(question).toLowerCase();
    const type = question.readUInt16BE(question.length - 4);
    this.asked.push(name);
    const records = this.#records(name, type).map((data) => {
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, records.length, 0, 0, 0, 0]);
    message.copy(head, 0, 0, 2);
    return Buffer.concat([head, question, ...records]);
  }

  #records(name: string, type: number): readonly Buffer[] {
    if (type === TYPE_TXT) {
      const texts = this.texts.get(name) ?? [];
      return texts.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]));
    }
    const address = this.addresses.get(name) ?? "127.0.0.1";
    return type === TYPE_A && address !== "" ? [Buffer.from(address.split(".").map(Number))] : [];
  }
}

function nameOf(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 0; (question[at] ?? 0) > 0; at += (question[at] ?? 0) + 1)
    labels.push(question.toString("latin1", at + 1, at + 1 + (question[at] ?? 0)));
  return labels.join(".");
}
