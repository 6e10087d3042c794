/** What stands in the place of a secret, whatever its length. */
const MASK = Buffer.from("********");

const ESCAPE = 0x1b;
const BELL = 0x07;

/** A node of the tree of all forms. Its path from the root is the beginning of at least one of them. */
interface Node {
  readonly depth: number;
  readonly next: Map<number, Node>;
  /** The longest proper end of this path that is a beginning too. */
  fallback: Node | null;
  /** The length of the longest form that ends here; 0: none does. */
  ends: number;
}

/** A byte that has come in and was not handed on. */
interface Held {
  readonly byte: number;
  /** False: part of an escape sequence, such as a colour. */
  readonly isVisible: boolean;
  isSecret: boolean;
}

/** Where in an escape sequence the input stands (ECMA-48): none, after ESC, in a CSI, in an OSC, after ESC in an OSC. */
type Sequence = "none" | "escape" | "csi" | "osc" | "osc-escape";

/**
 * Masks secrets in a stream, wherever it is split, and with colours between their characters too (what highlights matches
 * puts them there). All forms are looked for at once (Aho and Corasick, 1975): a byte is held back only while it may be
 * the beginning of a secret.
 */
export class Masker {
  readonly #root: Node = newNode(0);
  #at: Node = this.#root;
  #held: Held[] = [];
  #sequence: Sequence = "none";
  /** The last byte that was handed on was a secret's, whose mask stands there already. */
  #inMask = false;

  /** Adds forms of secrets, also while the stream is under way. What is held is seen again with them. */
  add(forms: readonly Uint8Array[]): void {
    for (const form of forms) {
      let node = this.#root;
      for (const byte of form) {
        const child = node.next.get(byte) ?? newNode(node.depth + 1);
        node.next.set(byte, child);
        node = child;
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
      out.push(this.#release(this.held));
    }
    return Buffer.concat(out);
  }

  /** Where what begins no secret and no escape sequence ends: most of what comes by. */
  #plainUpTo(chunk: Uint8Array, start: number): number {
    if (this.#at !== this.#root || this.#sequence !== "none") return start;
    let end = start;
    while (end < chunk.length && !this.#root.next.has(chunk[end] ?? 0) && chunk[end] !== ESCAPE) end += 1;
    return end;
  }

  /** How many bytes are held back that may be the beginning of a secret. */
  get held(): number {
    let node = this.#at;
    // What ends a form and begins no longer one waits for nothing.
    while (node.next.size === 0 && node.fallback !== null) node = node.fallback;
    return node.depth;
  }

  /** Everything that is held. A beginning alone is no secret; what follows it is still recognised as one's end. */
  flush(): Buffer {
    return this.#release(0);
  }

  #take(byte: number): void {
    const isVisible = !this.#isEscape(byte);
    this.#held.push({ byte, isVisible, isSecret: false });
    if (!isVisible) return;
    this.#at = step(this.#root, this.#at, byte);
    if (this.#at.ends > 0) this.#mark(this.#at.ends);
  }

  #mark(count: number): void {
    let left = count;
    for (let index = this.#held.length - 1; index >= 0 && left > 0; index -= 1) {
      const held = this.#held[index];
      if (held?.isVisible !== true) continue;
      held.isSecret = true;
      left -= 1;
    }
  }

  /** @param keep - How many of the last visible bytes stay; escape sequences among them stay as well. */
  #release(keep: number): Buffer {
    let start = this.#held.length;
    for (let left = keep; left > 0 && start > 0; ) {
      start -= 1;
      if (this.#held[start]?.isVisible === true) left -= 1;
    }
    const out = this.#shown(this.#held.slice(0, start));
    this.#held = this.#held.slice(start);
    return out;
  }

  #shown(bytes: readonly Held[]): Buffer {
    const out: number[] = [];
    for (const { byte, isVisible, isSecret } of bytes) {
      if (!isSecret) out.push(byte);
      else if (!this.#inMask) for (const it of MASK) out.push(it);
      if (isVisible) this.#inMask = isSecret;
    }
    return Buffer.from(out);
  }

  /** Follows escape sequences. @returns Whether this byte is part of one. */
  #isEscape(byte: number): boolean {
    switch (this.#sequence) {
      case "none":
        if (byte === ESCAPE) this.#sequence = "escape";
        return byte === ESCAPE;
      case "escape":
        this.#sequence = byte === 0x5b ? "csi" : byte === 0x5d ? "osc" : "none";
        return true;
      case "csi":
        if (byte >= 0x40 && byte <= 0x7e) this.#sequence = "none";
        return true;
      case "osc":
        if (byte === BELL) this.#sequence = "none";
        else if (byte === ESCAPE) this.#sequence = "osc-escape";
        return true;
      case "osc-escape":
        this.#sequence = byte === 0x5c ? "none" : "osc";
        return true;
    }
  }
}

function newNode(depth: number): Node {
  return { depth, next: new Map(), fallback: null, ends: 0 };
}

function step(root: Node, from: Node, byte: number): Node {
  for (let node: Node | null = from; node !== null; node = node.fallback) {
    const child = node.next.get(byte);
    if (child !== undefined) return child;
  }
  return root;
}

/** Sets every node's fallback, level by level. */
function link(root: Node): void {
  const queue: Node[] = [root];
  for (const node of queue) {
    for (const [byte, child] of node.next) {
      child.fallback = node === root ? root : step(root, node.fallback ?? root, byte);
      child.ends = Math.max(child.ends, child.fallback.ends);
      queue.push(child);
    }
  }
}
