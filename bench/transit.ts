import { createCipheriv, randomBytes } from "node:crypto";
import { join } from "node:path";
import { composeInstance, type Instance } from "../src/compose.ts";
import { World } from "../test/e2e/world.ts";
import type { BenchContext } from "./context.ts";
import { type Server, startServer } from "./daemon.ts";
import { type Load, measureLoads, messageLoad, putMessage } from "./load.ts";
import { BenchFailed, interleave, median, programCandidate } from "./measure.ts";
import { type Figure, timeRow } from "./report.ts";
import { tokenOf } from "./world.ts";

const ROUNDS = 10;
const COMMAND_ROUNDS = 20;
const BATCH = 1000;
/** Encryptions of a turn. */
const SINGLE = 500;
const BATCHES = 5;
const PLAINTEXT = randomBytes(32);

/** How fast transit encrypts, one by one and in batches, beside AES-GCM itself, and what a command takes. */
export async function transitFigure(context: BenchContext): Promise<Figure> {
  const world = new World();
  const running: Server[] = [];
  try {
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable transit");
    await world.ok("write -force transit/keys/bench");
    const env = { HOME: world.home, VSEC_STORE: world.store };
    const oneLine = context.oneLine();
    const command = ["write", "transit/encrypt/bench", `plaintext=${PLAINTEXT.toString("base64")}`];
    const samples = await interleave(
      [
        programCandidate("one", () => ({ command: [context.vsec, ...command], env })),
        programCandidate("base", () => ({ command: [oneLine] })),
      ],
      COMMAND_ROUNDS,
    );
    const [cold = [], base = []] = samples;
    running.push(await startServer([context.vsec, "daemon"], env));
    const token = tokenOf({ world });
    const { rates, rows } = await measureLoads(await loads(world, token, composeInstance({ env })), ROUNDS);
    const [native = 1, single = 0, batches = 0, socket = 0, socketBatches = 0] = rates;
    return {
      title: `transit: 32 bytes under aes256-gcm96, one by one and in batches of ${BATCH}`,
      rows: [
        timeRow("vsec write transit/encrypt, cold", cold),
        timeRow("a program of one line, compiled the same way", base),
        ...rows,
      ],
      ratios: [
        { what: "vsec write transit/encrypt, cold / program", value: median(cold) / median(base) },
        { what: "single, in one process / AES-GCM alone", value: single / native },
        { what: "encryptions in batches, in one process / AES-GCM alone", value: (batches * BATCH) / native },
        { what: "single, socket / AES-GCM alone", value: socket / native },
        { what: "encryptions in batches, socket / AES-GCM alone", value: (socketBatches * BATCH) / native },
      ],
    };
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    world.remove();
  }
}

async function loads(world: World, token: string, instance: Instance): Promise<readonly Load[]> {
  const path = "transit/encrypt/bench";
  const plaintext = PLAINTEXT.toString("base64");
  const one = { plaintext };
  const many = { batch_input: Array.from({ length: BATCH }, () => one) };
  const encrypt = (body: object) => async (): Promise<void> => {
    const { status } = await instance.handle({ method: "PUT", path, token, body: body as never });
    if (status !== 200) throw new BenchFailed(`encrypting: status ${status}`);
  };
  const nothing = (): void => undefined;
  const place = { path: join(world.store, "daemon.sock") };
  const shape = { pieces: SINGLE, connections: 8 };
  return [
    { label: "AES-256-GCM of node:crypto alone", clients: [aesGcm()], pieces: SINGLE, close: nothing },
    { label: "single, in one process", clients: [encrypt(one)], pieces: SINGLE, close: nothing },
    {
      label: `batches of ${BATCH}, in one process`,
      clients: [encrypt(many)],
      pieces: BATCHES,
      close: () => void instance.close(),
    },
    await messageLoad("single, socket, 8 clients", place, putMessage(path, one, token), shape),
    await messageLoad(`batches of ${BATCH}, socket`, place, putMessage(path, many, token), {
      pieces: BATCHES,
      connections: 1,
    }),
  ];
}

/** What an encryption is at least: a nonce, the cipher, and the text. */
function aesGcm(): () => string {
  const key = randomBytes(32);
  return () => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const parts = [nonce, cipher.update(PLAINTEXT), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(parts).toString("base64");
  };
}
