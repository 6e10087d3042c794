import { describe, expect, test } from "bun:test";
import { type ConnectionDriver, KeptConnection } from "../../../src/engines/database/kept-connection.ts";
import { DatabaseError } from "../../../src/engines/database/plugin.ts";
import { failureOf } from "./plugin-context.ts";

/** Connections are numbers; what happens to them is written down. */
function numbered(more: Partial<ConnectionDriver<number>> = {}) {
  const events: string[] = [];
  let count = 0;
  const driver: ConnectionDriver<number> = {
    open: async () => {
      count += 1;
      events.push(`open ${count}`);
      return count;
    },
    isAlive: async () => true,
    close: async (connection) => {
      events.push(`close ${connection}`);
    },
    ...more,
  };
  return { kept: new KeptConnection(driver), events };
}

const lost = () => Promise.reject(new DatabaseError("unreachable", "lost"));

describe("a kept connection", () => {
  test("is opened once for all who come at the same time", async () => {
    const { kept, events } = numbered();
    const uses = Array.from({ length: 5 }, () => kept.use(1000, async (connection) => connection));
    expect(await Promise.all(uses)).toEqual([1, 1, 1, 1, 1]);
    await kept.close();
    expect(events).toEqual(["open 1", "close 1"]);
  });

  test("stays after a statement that was refused, and goes after a failure of the connection", async () => {
    const { kept, events } = numbered();
    const refused = () => Promise.reject(new DatabaseError("statement", "no"));
    await failureOf(kept.use(1000, refused));
    expect(await kept.use(1000, async (connection) => connection)).toBe(1);
    await failureOf(kept.use(1000, lost));
    expect(await kept.use(1000, async (connection) => connection)).toBe(2);
    expect(events).toEqual(["open 1", "close 1", "open 2"]);
  });

  test("that could not be opened is tried anew", async () => {
    let tries = 0;
    const { kept } = numbered({
      open: async () => {
        tries += 1;
        if (tries === 1) throw new DatabaseError("auth", "no");
        return tries;
      },
    });
    expect(await failureOf(kept.use(1000, async (connection) => connection))).toMatchObject({ kind: "auth" });
    expect(await kept.use(1000, async (connection) => connection)).toBe(2);
  });

  test("is given up by work that takes too long, and by a server that does not answer", async () => {
    const { kept, events } = numbered();
    const error = await failureOf(kept.use(20, () => new Promise(() => undefined)));
    expect(error).toMatchObject({ kind: "unreachable", message: "the database took too long (0 s)" });
    expect(events).toEqual(["open 1", "close 1"]);
    const silent = numbered({ open: () => new Promise(() => undefined) });
    expect(await failureOf(silent.kept.use(20, lost))).toMatchObject({ kind: "unreachable" });
  });

  test("one that comes too late is closed", async () => {
    const opened = Promise.withResolvers<number>();
    const { kept, events } = numbered({ open: () => opened.promise });
    await failureOf(kept.use(20, lost));
    opened.resolve(7);
    await Promise.resolve();
    await kept.close();
    expect(events).toEqual(["close 7"]);
  });

  test("is not lent after it was closed", async () => {
    const { kept } = numbered();
    await kept.close();
    expect(await failureOf(kept.use(1000, async () => 1))).toMatchObject({
      message: "the connection was closed",
    });
  });
});
