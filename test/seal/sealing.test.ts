import { expect, test } from "bun:test";
import type { EngineType } from "../../src/framework/backend.ts";
import { path } from "../../src/framework/backend.ts";
import { temporaryDirectories } from "../platform/temp.ts";
import { StoreWorld } from "./world.ts";

const newDirectory = temporaryDirectories();

/** An engine whose one path answers when the test lets it. */
function slowEngine() {
  const { promise: allowed, resolve: allow } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const state = { closed: 0 };
  const type: EngineType = {
    type: "slow",
    description: "answers when it is let",
    load: async () => () => ({
      help: "Answers when it is let.",
      secrets: [],
      close: async () => {
        state.closed += 1;
      },
      paths: [
        path({
          pattern: "answer",
          fields: {},
          help: { synopsis: "Answer when it is let." },
          operations: {
            read: {
              summary: "Answer when it is let.",
              handler: async () => {
                begin();
                await allowed;
                return { data: { done: true } };
              },
            },
          },
        }),
      ],
    }),
  };
  return { type, state, allow, begun };
}

test("sealing lets a request under way have its answer, refuses the next one, and then lets go of everything", async () => {
  const world = new StoreWorld("memory", newDirectory());
  const { keys, rootToken } = await world.init(2, 2);
  const engine = slowEngine();
  world.restart({ engines: [engine.type] });
  await world.unseal(keys);
  await world.ok("PUT", "sys/mounts/slow", { type: "slow" }, rootToken);
  const underWay = world.send("GET", "slow/answer", undefined, rootToken);
  await engine.begun;
  expect((await world.send("PUT", "sys/seal", {}, rootToken)).status).toBe(204);
  expect(await world.refusal("GET", "slow/answer", undefined, rootToken)).toEqual([503, "Vault is sealed"]);
  expect(engine.state.closed).toBe(0);
  engine.allow();
  expect(await underWay).toMatchObject({ status: 200, body: { data: { done: true } } });
  expect(engine.state.closed).toBe(1);

  // With nothing under way there is nothing to wait for.
  await world.unseal(keys);
  await world.send("GET", "slow/answer", undefined, rootToken);
  await world.instance.seal();
  expect(engine.state.closed).toBe(2);
  await world.close();
  expect(engine.state.closed).toBe(2);
});
