import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { VsecError } from "../../src/base/errors.ts";
import { claimSocket, removeSocket, socketIdentity } from "../../src/daemon/unix-socket.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { temporaryDirectory } from "../servers/process.ts";

const directory = temporaryDirectory("vsec-socket-");
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  directory.remove();
});

let count = 0;
function newPath(): string {
  count += 1;
  return join(directory.path, `d${count}`, "s");
}

function bind(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    servers.push(server);
    server.once("error", reject);
    server.listen({ path }, () => resolve(server));
  });
}

const claim = (path: string, group?: string): Promise<Server> =>
  claimSocket({ path, ...(group === undefined ? {} : { group }) }, systemClock, () => bind(path));

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(VsecError);
    expect((error as VsecError).code).toBe("LISTEN");
    return (error as VsecError).message;
  }
  throw new TypeError("it was not refused");
}

const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

/** What a daemon leaves that was killed: a socket that nobody listens on. */
function abandon(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  Bun.spawnSync([process.execPath, "-e", script]);
}

describe("a socket's file", () => {
  test("is its owner's only, and so is the directory that was missing", async () => {
    const path = newPath();
    await claim(path);
    expect([mode(path), mode(dirname(path))]).toEqual(["600", "700"]);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test("is given to a group, by number or name", async () => {
    for (const [group, gid] of [
      ["12345", 12345],
      ["daemon", Number(readFileSync("/etc/group", "utf8").match(/^daemon:[^:]*:(\d+)/m)?.[1])],
    ] as const) {
      const path = newPath();
      await claim(path, group);
      expect([mode(path), lstatSync(path).gid]).toEqual(["660", gid]);
      expect([mode(dirname(path)), lstatSync(dirname(path)).gid]).toEqual(["750", gid]);
    }
  });

  test("is not given to a group that does not exist", async () => {
    expect(await refusal(claim(newPath(), "no-such-group"))).toContain('no group "no-such-group"');
  });

  test("of a live daemon is left to it", async () => {
    const path = newPath();
    await claim(path);
    const before = socketIdentity(path);
    expect(await refusal(claim(path))).toContain("address already in use: a daemon answers there");
    expect(socketIdentity(path)).toBe(before);
  });

  test("of a dead daemon is taken over", async () => {
    const path = newPath();
    abandon(path);
    expect(lstatSync(path).isSocket()).toBe(true);
    await claim(path);
    expect(mode(path)).toBe("600");
  });

  test("of a dead daemon is taken over by one of many that start at once", async () => {
    const path = newPath();
    abandon(path);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claim(path)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await refusal(claim(path))).toContain("a daemon answers there");
  });

  test("is not made where something else lies, which stays", async () => {
    const path = newPath();
    mkdirSync(dirname(path), { mode: 0o700 });
    writeFileSync(path, "precious");
    expect(await refusal(claim(path))).toContain("a file that is no socket lies there");
    expect(readFileSync(path, "utf8")).toBe("precious");
    const link = newPath();
    mkdirSync(dirname(link), { mode: 0o700 });
    symlinkSync(path, link);
    expect(await refusal(claim(link))).toContain("a file that is no socket lies there");
  });

  test("is not made where others could put another in its place", async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o777);
    expect(await refusal(claim(path))).toContain("others may write to the directory (mode 0777)");
  });

  test("has a path that the system can take", async () => {
    const path = join(directory.path, "x".repeat(120));
    expect(await refusal(claim(path))).toContain("a socket's path has at most");
  });

  test("is removed at the end, unless it has become another's", async () => {
    const path = newPath();
    await claim(path);
    removeSocket(path, (socketIdentity(path) ?? 0) + 1);
    expect(existsSync(path)).toBe(true);
    removeSocket(path, socketIdentity(path));
    expect(existsSync(path)).toBe(false);
  });
});
