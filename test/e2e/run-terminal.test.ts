/** `vsec run` on a terminal: what a person sees, and every way in which a window ends a command. Afterwards no user is left. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, usersOn } from "./database.ts";
import { TerminalSession } from "./terminal-session.ts";
import { World } from "./world.ts";

const MASK = "********";

describe.skipIf(postgresMissing(18) !== undefined)("vsec run on a terminal", () => {
  const world = new World();
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 18 });
    await initDatabase(world, server);
  });
  afterEach(async () => {
    await until("the end of all users", async () => (await usersOn(server)).length === 0);
  });
  afterAll(async () => {
    await server?.stop();
    world.remove();
  });

  const command = (line: string, ...flags: readonly string[]): string[] => [
    world.binary,
    "run",
    "-env=DB=database/creds/app",
    ...flags,
    "--",
    "sh",
    "-c",
    line,
  ];
  const run = (line: string, ...flags: readonly string[]) =>
    new TerminalSession(world, command(line, ...flags));

  test("the command has a terminal on all streams, of the window's size, and its colours come through", async () => {
    const line = `test -t 0 && test -t 1 && test -t 2 && stty size && printf '\\033[31mred\\033[0m\\n'; exit 5`;
    const session = run(line);
    expect(await session.ended).toEqual({ code: 5, signal: null });
    expect(session.output).toBe("30 100\r\n\x1b[31mred\x1b[0m\r\n");
  });

  test("a secret is masked with a colour inside it, and when the output is split there", async () => {
    const session = run(
      'head=$(printf %s "$DB_PASSWORD" | cut -c1-8); tail=$(printf %s "$DB_PASSWORD" | cut -c9-); printf "%s" "$head"; sleep 0.2; printf "\\033[1m%s\\033[0m|\\n" "$tail"; echo "<$DB_PASSWORD>"',
    );
    await session.ended;
    expect(session.output).toBe(`${MASK}\x1b[1m\x1b[0m|\r\n<${MASK}>\r\n`);
  });

  test("-no-mask leaves all as it is", async () => {
    const session = run('echo "<$DB_PASSWORD>"', "-no-mask");
    await session.ended;
    expect(session.output).toMatch(/^<[\w-]{16,}>\r\n$/);
  });

  test("a prompt is shown at once, and answered", async () => {
    const session = run('printf "name? "; read -r name; echo "hello $name"; cat; echo end');
    await session.shows("name? ");
    session.type("bob\r");
    await session.shows("hello bob");
    session.type("\x04");
    expect(await session.ended).toEqual({ code: 0, signal: null });
  });

  test("a program that asks for a password hides it", async () => {
    const session = run('stty -echo; printf "password? "; read -r p; stty echo; echo; echo "got $p"');
    await session.shows("password? ");
    session.type("sesame\r");
    await session.ended;
    expect(session.output).toBe("password? \r\ngot sesame\r\n");
  });

  test.each(["", "-no-mask"])("a window that changes its size tells the command so (%s)", async (flag) => {
    const flags = flag === "" ? [] : [flag];
    const session = run('trap "stty size; exit" WINCH; echo up; while :; do sleep 0.05; done', ...flags);
    await session.shows("up");
    session.resize(120, 40);
    await session.ended;
    expect(session.output).toBe("up\r\n40 120\r\n");
  });

  test.each([
    ["Ctrl-C", "\x03", "SIGINT", null],
    ["Ctrl-\\", "\x1c", null, 131],
  ] as const)("%s ends the command once, and vsec as it did", async (_, key, signal, code) => {
    const session = run("echo up; exec sleep 60");
    await session.shows("up");
    session.type(key);
    expect(await session.ended).toEqual({ code, signal });
  });

  test("Ctrl-C reaches a command that has our own terminal once", async () => {
    const session = run(
      'trap "echo caught" INT; echo up; n=0; while [ $n -lt 10 ]; do sleep 0.05; n=$((n+1)); done',
      "-no-mask",
    );
    await session.shows("up");
    session.type("\x03");
    await session.ended;
    expect(session.output.split("caught")).toHaveLength(2);
  });

  test.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGHUP", "SIGHUP"],
    ["SIGINT", "SIGINT"],
  ] as const)("%s to vsec ends the command", async (signal, by) => {
    const session = run("echo up; exec sleep 60");
    await session.shows("up");
    session.kill(signal);
    expect(await session.ended).toEqual({ code: null, signal: by });
  });

  test.each(["", "-no-mask"])("a window that is closed ends the command (%s)", async (flag) => {
    const flags = flag === "" ? [] : [flag];
    const session = run("echo up; exec sleep 60", ...flags);
    await session.shows("up");
    session.hangUp();
    expect((await session.ended).signal).toBe("SIGHUP");
  });

  test("where vsec is killed the command loses its terminal, and the next command ends the lease", async () => {
    const session = run("echo $$ up; exec sleep 60");
    await session.shows("up");
    const pid = Number(/^(\d+)/.exec(session.output)?.[1]);
    session.kill("SIGKILL");
    await session.ended;
    await until("the command's end", () => !isThere(pid));
    expect((await usersOn(server)).length).toBe(1);
    await world.ok("secrets list");
  });

  test("Ctrl-Z stops the command and vsec, and both go on in the foreground again", async () => {
    world.file("job.sh", "echo READY; read x; echo back $x\n");
    const shell = new TerminalSession(world, ["bash", "--norc", "--noprofile", "-i"]);
    await shell.shows("shell> ");
    shell.type(`${world.binary} run -env DB=database/creds/app -- sh job.sh\r`);
    await shell.shows("READY");
    shell.type("\x1a");
    await shell.shows("Stopped");
    shell.type("echo raw:$(stty -a | grep -c -e -icanon)\r");
    await shell.shows("raw:0");
    shell.type("fg\r");
    await shell.shows("job.sh", 3);
    shell.type("again\r");
    await shell.shows("back again");
    await shell.shows("shell> ", 4);
    shell.type("exit 0\r");
    await shell.ended;
  });

  test("what goes on in the background writes on, leaves the keys to the shell, and comes back to the foreground", async () => {
    world.file(
      "slow.sh",
      "echo READY; n=0; until [ -e go ]; do sleep 0.05; done; echo went on; read x; echo back $x\n",
    );
    const shell = new TerminalSession(world, ["bash", "--norc", "--noprofile", "-i"]);
    await shell.shows("shell> ");
    shell.type(`${world.binary} run -env DB=database/creds/app -- sh slow.sh\r`);
    await shell.shows("READY");
    shell.type("\x1a");
    await shell.shows("Stopped");
    shell.type("bg\r");
    await shell.shows("slow.sh", 3);
    shell.type("echo shell:$((40+2)); touch go\r");
    await shell.shows("shell:42");
    await shell.shows("went on");
    shell.type("fg\r");
    await shell.shows("slow.sh", 4);
    shell.type("again\r");
    await shell.shows("back again");
    shell.type("exit 0\r");
    await shell.ended;
  });

  test("what is started in the background writes to the terminal, masked", async () => {
    const shell = new TerminalSession(world, ["bash", "--norc", "--noprofile", "-i"]);
    await shell.shows("shell> ");
    shell.type(
      `${world.binary} run -env DB=database/creds/app -- sh -c 'test -t 1 && echo "<$DB_PASSWORD>"' & wait; echo over\r`,
    );
    await shell.shows(`<${MASK}>`);
    await shell.shows("over", 2);
    expect(shell.output).not.toContain("Stopped");
    shell.type("exit 0\r");
    await shell.ended;
  });

  test("what a command leaves running, and writing, does not keep its credentials alive", async () => {
    const session = run('(trap "" HUP; while :; do echo x || exit; sleep 0.01; done) & echo up; exit 3');
    expect(await session.ended).toEqual({ code: 3, signal: null });
  });

  test("a long text that is pasted comes through whole", async () => {
    const session = run("stty raw -echo; printf ready; head -c 100000 | wc -c");
    await session.shows("ready");
    session.type("p".repeat(100_000));
    await session.shows("100000");
    await session.ended;
  });

  test("without a terminal on the input, what is written still goes to one", async () => {
    const line = command(
      'test -t 0 || test -t 1 && test -t 2 && cat && stty size <&1; echo "$DB_PASSWORD" >&2',
    )
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(" ");
    const session = new TerminalSession(world, ["bash", "-c", `echo piped | ${line}`]);
    await session.ended;
    expect(session.output).toBe(`piped\r\n30 100\r\n${MASK}\r\n`);
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
