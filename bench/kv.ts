import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { World } from "../test/e2e/world.ts";
import type { BenchContext } from "./context.ts";
import { type Server, startServer } from "./daemon.ts";
import { getMessage, measureLoads, messageLoad, putMessage } from "./load.ts";
import { interleave, median, programCandidate } from "./measure.ts";
import { type Figure, timeRow } from "./report.ts";
import { tokenOf } from "./world.ts";

const ROUNDS = 10;
const COMMAND_ROUNDS = 20;
const REQUESTS = 500;

/** How fast secrets are written and read, cold and through the daemon. */
export async function kvFigure(context: BenchContext): Promise<Figure> {
  const world = new World();
  const running: Server[] = [];
  try {
    await world.ok("operator init -seal=key-file");
    await world.ok("secrets enable -version=2 kv");
    const data = { username: "app", password: "s3cret-and-long-enough" };
    writeFileSync(join(world.home, "secret.json"), JSON.stringify(data));
    await world.ok("kv put -mount=kv bench @secret.json");
    const env = { HOME: world.home, VSEC_STORE: world.store };
    const oneLine = context.oneLine();
    const commands = [
      ["vsec kv get, cold", [context.vsec, "kv", "get", "-mount=kv", "bench"]],
      ["vsec kv put, cold", [context.vsec, "kv", "put", "-mount=kv", "bench", "a=b"]],
      ["a program of one line, compiled the same way", [oneLine]],
    ] as const;
    const samples = await interleave(
      commands.map(([label, command]) => programCandidate(label, () => ({ command, env }))),
      COMMAND_ROUNDS,
    );
    const [get = [], put = [], base = []] = samples;
    running.push(await startServer([context.vsec, "daemon"], env));
    const token = tokenOf({ world });
    const place = { path: join(world.store, "daemon.sock") };
    const shape = { pieces: REQUESTS, connections: 8 };
    const read = getMessage("kv/data/bench", token);
    const write = putMessage("kv/data/bench", { data }, token);
    const measured = await measureLoads(
      [
        await messageLoad("reads, socket, 8 clients", place, read, shape),
        await messageLoad("writes, socket, 8 clients, each flushed to disk", place, write, shape),
      ],
      ROUNDS,
    );
    return {
      title: "kv: a small secret of a versioned mount",
      rows: [...commands.map(([label], index) => timeRow(label, samples[index] ?? [])), ...measured.rows],
      ratios: [
        { what: "vsec kv get / program", value: median(get) / median(base) },
        { what: "vsec kv put / program", value: median(put) / median(base) },
      ],
    };
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    world.remove();
  }
}
