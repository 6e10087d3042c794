import { describe, expect, test } from "bun:test";
import type { KeyObject } from "node:crypto";
import { readyKeys } from "../../../../src/engines/pki/keys/ready-keys.ts";
import { generateKey, type KeyKind, publicKeyDer } from "../../../../src/engines/pki/x509/keys.ts";
import { systemRandom } from "../../../../src/platform/random.ts";

const RSA: KeyKind = { type: "rsa", bits: 2048 };

/** A maker of keys that says how many it has made. The keys are small and quick, whatever is asked for. */
function counted() {
  const made: KeyObject[] = [];
  const make = async (): Promise<KeyObject> => {
    const key = await generateKey({ type: "ec", bits: 256 });
    made.push(key);
    return key;
  };
  return { made, make };
}

/** Lets what goes on in the background come to rest. */
async function rest(made: readonly KeyObject[]): Promise<void> {
  for (let before = -1; before !== made.length; ) {
    before = made.length;
    for (let turn = 0; turn < 20; turn += 1) await generateKey({ type: "ec", bits: 256 });
  }
}

describe("keys that are made ahead", () => {
  test("are none for who asks once, as a command does", async () => {
    const { made, make } = counted();
    await readyKeys(systemRandom, make).take(RSA);
    await rest(made);
    expect(made.length).toBe(1);
  });

  test("are a few from the second time on, and each is given out once", async () => {
    const { made, make } = counted();
    const keys = readyKeys(systemRandom, make);
    const taken = [await keys.take(RSA), await keys.take(RSA)];
    await rest(made);
    expect(made.length).toBe(2 + 3);
    for (let left = 3; left > 0; left -= 1) taken.push(await keys.take(RSA));
    const rest3 = taken.map((key) => publicKeyDer(key).toString("hex"));
    expect(new Set(rest3).size).toBe(5);
    expect(rest3).toEqual(made.slice(0, 5).map((key) => publicKeyDer(key).toString("hex")));
  });

  test("are only of RSA, and of the size that is asked for", async () => {
    const { made, make } = counted();
    const keys = readyKeys(systemRandom, make);
    for (let times = 3; times > 0; times -= 1) await keys.take({ type: "ec", bits: 256 });
    await rest(made);
    expect(made.length).toBe(3);
    await keys.take(RSA);
    await keys.take({ type: "rsa", bits: 4096 });
    await rest(made);
    expect(made.length).toBe(5);
  });

  test("that cannot be made fail who asks, and nobody else", async () => {
    let fails = false;
    const keys = readyKeys(systemRandom, async () => {
      if (fails) throw new TypeError("no");
      return generateKey({ type: "ec", bits: 256 });
    });
    await keys.take(RSA);
    fails = true;
    expect(keys.take(RSA)).rejects.toThrow("no");
    fails = false;
    expect((await keys.take(RSA)).type).toBe("private");
  });
});
