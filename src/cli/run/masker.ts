import { EscapeSequences, type Layer } from "./escape-sequences.ts";

/** What stands in the place of a secret, whatever its length. */
const MASK = Buffer.from("********");

const ESCAPE = 0x1b;

/** A node of the tree of all forms. Its path from the root is the beginning of at least one of them. */
interface Node {
  readonly depth: number;
  /** Nearly all have one child, or none: byte -1. A map is for the few that have more; it has all of them. */
  byte: number;
  child: Node | null;
  more: Map<number, Node> | null;
  /** The longest proper end of this path that is a beginning too. */
  fallback: Node | null;
  /** The length of the longest form that ends here; 0: none does. */
  ends: number;
}

/** A byte that has come in and was not handed on. */
interface Held {
  readonly byte: number;
  readonly layer: Layer;
  isSecret: boolean;
}

/** Looking for what can be handed on costs more than to look whether a byte is a secret's. */
const RELEASED_EVERY = 256;

/** So many bytes between two of a secret's are no colour: whatever comes after is another text. */
const HELD_MAX = 65_536;

/**
 * Masks secrets in a stream, wherever it is split, and with colours between their characters too (what highlights matches
 * puts them there). All forms are looked for at once (Aho and Corasick, 1975): a byte is held back only while it may be
 * the beginning of a secret. What stands inside control strings, such as the address of a link, is a text of its own; and so
 * are all bytes as they come, since a log shows them so.
 */
export class Masker {
  readonly #root: Node = newNode(0);
  readonly #sequences = new EscapeSequences();
  #atText: Node = this.#root;
  #atString: Node = this.#root;
  #atByte: Node = this.#root;
  #held: Held[] = [];
  /** The last byte that was handed on was a secret's, whose mask stands there already. */
  #inMask = false;

  /** Adds forms of secrets, also while the stream is under way. What is held is seen again with them. */
  add(forms: readonly Uint8Array[]): void {
    for (const form of forms) {
      let node = this.#root;
      for (const byte of form) {
        node = childOf(node, byte) ?? addChild(node, byte);
      }
      node.ends = form.length;
    }
    link(this.#root);
    // Nodes keep their place; only what the present path falls back to may have changed.
  }

  /** @returns What can be handed on now. */
  write(chunk: Uint8Array): Buffer {
    const out: Uint8Array[] = [];
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#held.length === 0) {
        const end = this.#plainUpTo(chunk, at);
        if (end > at) {
          out.push(chunk.subarray(at, end));
          this.#inMask = false;
          at = end;
        }
        if (at === chunk.length) break;
      }
      this.#take(chunk[at] ?? 0);
      const isAtRest = this.#sequences.isAtText && this.held === 0;
      if (isAtRest || this.#held.length % RELEASED_EVERY === 0) out.push(this.#release());
    }
    out.push(this.#release());
    return Buffer.concat(out);
  }

  /** Where what begins no secret and no escape sequence ends: most of what comes by. */
  #plainUpTo(chunk: Uint8Array, start: number): number {
    if (this.#atText !== this.#root || this.#atByte !== this.#root || !this.#sequences.isAtText) return start;
    let end = start;
    while (end < chunk.length && childOf(this.#root, chunk[end] ?? 0) === undefined && chunk[end] !== ESCAPE)
      end += 1;
    return end;
  }

  /** How many bytes are held back that may be the beginning of a secret. */
  get held(): number {
    return Math.max(waitingFor(this.#atText), waitingFor(this.#atString), waitingFor(this.#atByte));
  }

  /** Everything that is held. A beginning alone is no secret; what follows it is still recognised as one's end. */
  flush(): Buffer {
    const out = this.#shown(this.#held);
    this.#held = [];
    return out;
  }

  #take(byte: number): void {
    const layer = this.#sequences.take(byte);
    this.#held.push({ byte, layer, isSecret: false });
    this.#atByte = step(this.#root, this.#atByte, byte);
    this.#mark(this.#atByte.ends);
    if (layer === "text") {
      this.#atText = step(this.#root, this.#atText, byte);
      this.#mark(this.#atText.ends, layer);
    } else if (layer === "string") {
      this.#atString = step(this.#root, this.#atString, byte);
      this.#mark(this.#atString.ends, layer);
    }
    // Each control string is a text of its own.
    if (this.#sequences.isAtText) this.#atString = this.#root;
  }

  /** Marks the last so many bytes, of one layer or of all. */
  #mark(count: number, layer?: Layer): void {
    let left = count;
    for (let index = this.#held.length - 1; index >= 0 && left > 0; index -= 1) {
      const held = this.#held[index];
      if (held === undefined || (layer !== undefined && held.layer !== layer)) continue;
      held.isSecret = true;
      left -= 1;
    }
  }

  /** Hands on all but what may yet be a secret's, and the sequences that stand in that. */
  #release(): Buffer {
    if (this.#held.length > HELD_MAX) {
      this.#atText = this.#atString = this.#atByte = this.#root;
      return this.flush();
    }
    let text = waitingFor(this.#atText);
    let string = waitingFor(this.#atString);
    let start = this.#held.length;
    while ((text > 0 || string > 0) && start > 0) {
      start -= 1;
      if (this.#held[start]?.layer === "text") text -= 1;
      if (this.#held[start]?.layer === "string") string -= 1;
    }
    start = Math.min(start, this.#held.length - waitingFor(this.#atByte));
    if (start <= 0) return NOTHING;
    const out = this.#shown(this.#held.slice(0, start));
    this.#held = this.#held.slice(start);
    return out;
  }

  #shown(bytes: readonly Held[]): Buffer {
    const out: number[] = [];
    for (const { byte, layer, isSecret } of bytes) {
      if (!isSecret) out.push(byte);
      else if (!this.#inMask) for (const it of MASK) out.push(it);
      if (layer !== "control") this.#inMask = isSecret;
    }
    return Buffer.from(out);
  }
}

const NOTHING = Buffer.alloc(0);

/** How many of the last bytes may be the beginning of a form. What ends one and begins no longer one waits for nothing. */
function waitingFor(at: Node): number {
  let node = at;
  while (node.byte === NO_BYTE && node.fallback !== null) node = node.fallback;
  return node.depth;
}

const NO_BYTE = -1;

function newNode(depth: number): Node {
  return { depth, byte: NO_BYTE, child: null, more: null, fallback: null, ends: 0 };
}

function childOf(node: Node, byte: number): Node | undefined {
  if (node.more !== null) return node.more.get(byte);
  return node.byte === byte ? (node.child ?? undefined) : undefined;
}

function addChild(node: Node, byte: number): Node {
  const child = newNode(node.depth + 1);
  if (node.child === null) {
    node.byte = byte;
    node.child = child;
  } else {
    node.more ??= new Map([[node.byte, node.child]]);
    node.more.set(byte, child);
  }
  return child;
}

function childrenOf(node: Node): Iterable<readonly [number, Node]> {
  if (node.more !== null) return node.more;
  return node.child === null ? [] : [[node.byte, node.child]];
}

function step(root: Node, from: Node, byte: number): Node {
  for (let node: Node | null = from; node !== null; node = node.fallback) {
    const child = childOf(node, byte);
    if (child !== undefined) return child;
  }
  return root;
}

/** Sets every node's fallback, level by level. */
function link(root: Node): void {
  const queue: Node[] = [root];
  for (const node of queue) {
    for (const [byte, child] of childrenOf(node)) {
      child.fallback = node === root ? root : step(root, node.fallback ?? root, byte);
      child.ends = Math.max(child.ends, child.fallback.ends);
      queue.push(child);
    }
  }
}
