// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shell writes its variables like this.
/** `vsec run` with pipes: what the command gets, and every way in which it, or vsec, can end. Afterwards no user is left. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type PostgresServer, postgresMissing, startPostgres } from "../servers/postgres.ts";
import { until } from "../servers/process.ts";
import { initDatabase, usersOn } from "./database.ts";
import type { Transport } from "./transport.ts";
import { type Running, World } from "./world.ts";

const MASK = "********";

/** Runs a line of the shell. */
const sh = (line: string): string[] => ["--", "sh", "-c", line];
const DB = "-env=DB=database/creds/app";
/** A command that says it is there, with its user, and then is: exactly one process, which a signal reaches. */
const WAITING = sh('echo "up $DB_USERNAME" >&2; exec sleep 60');

export function describeRun(transport: Transport): void {
  describe.skipIf(postgresMissing(18) !== undefined)(`vsec run (${transport})`, () => {
    const world = new World();
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres({ version: 18 });
      await world.reachOver(transport);
      await initDatabase(world, server, { roles: { app: "1h", short: "3s" } });
      await world.ok(
        "write database/roles/short db_name=pg creation_statements=@create.sql default_ttl=4s max_ttl=5s",
      );
      await world.ok("secrets enable -path=secret kv-v2");
      await world.ok([
        "kv",
        "put",
        "secret/app",
        "token=open-sesame",
        "pem=line one is long\nline two is long",
      ]);
    });
    afterEach(async () => expect(await usersOn(server)).toEqual([]));
    afterAll(async () => {
      await server?.stop();
      await world.close();
    });

    const run = (...args: readonly string[]) => world.run(["run", ...args]);
    const up = async (running: Running): Promise<string> => {
      await until("the command", () => running.stderr().includes("up "));
      return /up (\S+)/.exec(running.stderr())?.[1] ?? "";
    };

    test("a command has its credentials, nothing of vsec's, and its exit code is passed on", async () => {
      const ended = await run(DB, ...sh('echo "$DB_USERNAME"; env | grep -E "^(VSEC|VAULT)_"; exit 7'));
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 7, stderr: "" });
      expect(ended.stdout).toMatch(/^v-\S+\n$/);
    });

    test("secrets are masked on both streams, which stay apart, also when they come in pieces", async () => {
      const line =
        'p=$DB_PASSWORD; printf "%s" "a${p%??????}"; printf "%s" "$p" | base64 -w0 >/dev/stderr; sleep 0.1; echo "${p#"${p%??????}"}z"';
      expect(await run(DB, ...sh(line))).toMatchObject({
        code: 0,
        stdout: `a${MASK}z\n`,
        stderr: expect.stringContaining(MASK),
      });
      await world.ok("kv put secret/terms ttl=86400 token=open-sesame-too");
      const terms = await run("-env=T=secret/terms", ...sh('echo "$T_TTL $T_TOKEN"'));
      expect(terms.stdout).toBe(`86400 ${MASK}\n`);
      const plain = await run(DB, "-no-mask", ...sh('echo "$DB_PASSWORD"'));
      expect(plain.stdout.trim().length).toBeGreaterThan(15);
    });

    test("one path is one lease, whatever refers to it; templates and .env files mix text and values", async () => {
      world.file(
        "app.env",
        '# settings\nexport URL="pg://{{ database/creds/app#username }}@h" # in quotes\nTOKEN={{ secret/app#token }}\nPLAIN=x y\n',
      );
      const line = 'test "$URL" = "pg://$U@h" && test "$TOKEN" = open-sesame && echo "$PLAIN"';
      expect(await run("-template=app.env", "-env=U=database/creds/app#username", ...sh(line))).toMatchObject(
        { code: 0, stdout: "x y\n" },
      );
      world.file("bad.env", "A=1\nB={{ secret/app }}\n");
      expect(await run("-template=bad.env", ...sh("true"))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("bad.env:2:1: "),
      });
    });

    test("files are in memory, for their user alone, and gone afterwards", async () => {
      const line =
        'cd "$CREDENTIALS_DIRECTORY" && pwd && stat -c "%a %n" . db.json key && cat key && grep -c password db.json';
      const ended = await run("-file=db.json=database/creds/app", "-file=key=secret/app#token", ...sh(line));
      const [directory = "", ...lines] = ended.stdout.split("\n");
      expect(lines).toEqual(["700 .", "600 db.json", "600 key", `${MASK}1`, ""]);
      expect(existsSync(directory)).toBe(false);
    });

    test("PostgreSQL's variables name the place as well", async () => {
      const line = 'echo "$PGHOST $PGPORT $PGDATABASE ${#PGUSER} ${#PGPASSWORD} [$PGHOSTADDR$PGSERVICE]"';
      const { code, stdout } = await world.run(["run", "-pg=database/creds/app", ...sh(line)], {
        env: { PGPORT: "1", PGHOSTADDR: "127.0.0.9", PGSERVICE: "another" },
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^\\S+ ${server.port} postgres \\d\\d \\d\\d \\[\\]\n$`));
    });

    test.each(["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const)(
      "%s reaches the command, and ends vsec as it ended the command",
      async (signal) => {
        const running = world.start(["run", DB, ...WAITING]);
        const user = await up(running);
        expect(await usersOn(server)).toEqual([user]);
        running.kill(signal);
        expect(await running.ended).toMatchObject({ code: null, signal });
      },
    );

    test("a signal that would write a core file is told by the exit code", async () => {
      const running = world.start(["run", DB, ...WAITING]);
      await up(running);
      running.kill("SIGQUIT");
      expect(await running.ended).toMatchObject({ code: 131, signal: null });
    });

    test("a command may take a signal in its own way", async () => {
      const running = world.start([
        "run",
        DB,
        ...sh('trap "exit 9" TERM; echo "up $DB_USERNAME" >&2; while :; do sleep 0.05; done'),
      ]);
      await up(running);
      running.kill("SIGTERM");
      expect(await running.ended).toMatchObject({ code: 9, signal: null });
    });

    test("a command that is killed is told by the exit code", async () => {
      expect(await run(DB, ...sh("kill -KILL $$"))).toMatchObject({ code: 137, signal: null });
    });

    test("what a command leaves running gets neither its credentials kept nor its output shown for long", async () => {
      world.file("late.sh", "echo early; (until [ -e gone ]; do sleep 0.05; done; echo late) & exit 3");
      const ended = await run(DB, "--", "sh", "late.sh");
      expect(ended).toMatchObject({ code: 3, stdout: "early\n" });
      expect(await usersOn(server)).toEqual([]);
      world.file("gone", "");
    });

    test("a value that is too long for a variable is named, and nothing is left", async () => {
      await world.ok("kv put secret/long value=-", { stdin: "x".repeat(140_000) });
      const ended = await run(DB, "-env=LONG=secret/long#value", ...sh("true"));
      expect(ended).toMatchObject({
        code: 1,
        stderr: "the value of LONG is too long for a variable; use -file for it\n",
      });
      const whole = await run("-file=long=secret/long#value", ...sh('wc -c < "$CREDENTIALS_DIRECTORY/long"'));
      expect(whole.stdout).toBe("140000\n");
    });

    test("streams that are closed are closed for the command too, or nothing", async () => {
      const line = `${world.binary} run ${DB} -- sh -c 'cat; echo out; echo err >&2; exit 5'`;
      for (const closed of ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]) {
        const { status } = spawnSync("sh", ["-c", `${line} ${closed}`], {
          cwd: world.home,
          env: { ...world.environment },
          input: "",
        });
        expect([closed, status]).toEqual([closed, 5]);
      }
    });

    test("a signal before the command is there ends vsec, with nothing left", async () => {
      const running = world.start(["run", DB, "-env=E=database/creds/app", ...WAITING]);
      running.kill("SIGTERM");
      expect((await running.ended).signal).toBe("SIGTERM");
    });

    test("where vsec itself is killed, the next command ends what it had leased", async () => {
      const running = world.start(["run", DB, ...WAITING]);
      const user = await up(running);
      running.kill("SIGKILL");
      await running.ended;
      expect(await usersOn(server)).toEqual([user]);
      await (transport === "process" ? world.ok("secrets list") : world.ok("daemon -once"));
    });

    test("a token that may read the credential and nothing else gives it back as well", async () => {
      world.file("few.hcl", 'path "database/creds/app" { capabilities = ["read"] }');
      await world.ok("policy write few few.hcl");
      const token = (await world.ok("token create -policy=few -field=token")).trim();
      const ended = await world.run(["run", DB, ...sh('echo "$DB_USERNAME"')], {
        env: { VSEC_TOKEN: token },
      });
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
    });

    test("a lease says whom it is for", async () => {
      const running = world.start(["run", "-label=nightly job", DB, ...WAITING]);
      const user = await up(running);
      const { data } = await world.json<{ data: Record<string, unknown> }>(`lease lookup ${user}`);
      expect(data).toMatchObject({ principal: user, label: "nightly job", owner_pid: expect.any(Number) });
      running.kill("SIGTERM");
      await running.ended;
    });

    test("a credential that cannot be had gives back those that were", async () => {
      const marker = `${world.home}/ran`;
      const ended = await run(DB, "-env=X=database/creds/nope", ...sh(`touch ${marker}`));
      expect({ code: ended.code, ran: existsSync(marker) }).toEqual({ code: 2, ran: false });
      expect(ended.stderr).toContain("Error reading database/creds/nope");
    });

    test.each([
      [["--", "no-such-program"], 127, "no-such-program: command not found\n"],
      [["--", "/etc/passwd"], 126, "/etc/passwd: permission denied\n"],
      [["-env=1X=a", "--", "true"], 1, '-env takes NAME=path or NAME=path#field, and "1X=a" is none\n'],
      [[], 1, "Not enough arguments: name the command to run, as in: vsec run -- env\n"],
    ])("%p is refused before anything is leased", async (args, code, stderr) => {
      expect(await run(DB, ...args)).toMatchObject({ code, stdout: "", stderr });
    });

    test.each(["", "-exec"])("a script that names no interpreter is the shell's (%s)", async (flag) => {
      chmodSync(join(world.home, world.file("plain", 'echo "$0 $1 ${#DB_PASSWORD}"\n')), 0o700);
      const ended = await run(DB, ...(flag === "" ? [] : [flag]), "--", "./plain", "an argument");
      expect(ended).toMatchObject({ code: 0, stdout: "./plain an argument 20\n", stderr: "" });
      await (transport === "process" ? world.ok("secrets list") : world.ok("daemon -once"));
    });

    test.each(["", "-exec"])("a program of another machine is 126, with nothing left (%s)", async (flag) => {
      chmodSync(join(world.home, world.file("foreign", "\u007fELF\0\0\0\0 nothing that runs")), 0o700);
      const ended = await run(DB, ...(flag === "" ? [] : [flag]), "--", "./foreign");
      expect(ended.code).toBe(126);
      expect(ended.stderr).toContain("cannot start ./foreign: ");
      expect(ended.stderr).not.toContain("defect");
    });

    test("a place in the PATH that cannot be looked into is passed over", async () => {
      symlinkSync("loop", join(world.home, "loop"));
      const env = { PATH: `${world.home}/loop:/usr/bin:/bin` };
      expect(await world.run(["run", "--", "true"], { env })).toMatchObject({ code: 0, stderr: "" });
      expect((await world.run(["run", "--", "no-such"], { env })).code).toBe(127);
    });

    test("a reader that goes away ends the command by SIGPIPE", async () => {
      const line = `${world.binary} run ${DB} -- yes | head -n1; echo "$?"`;
      const child = Bun.spawn(["bash", "-c", `set -o pipefail; ${line}`], {
        cwd: world.home,
        env: world.environment,
      });
      expect(await new Response(child.stdout).text()).toBe("y\n141\n");
    });

    test.skipIf(!existsSync("/dev/full"))("output that a full disk loses is told", async () => {
      const line = `${world.binary} run ${DB} -- echo hello > /dev/full`;
      const child = Bun.spawn(["sh", "-c", line], {
        cwd: world.home,
        env: world.environment,
        stderr: "pipe",
      });
      expect(await new Response(child.stderr).text()).toContain(
        "vsec: output of the command was lost: no space left on device\n",
      );
    });

    test("-exec becomes the command: the lease ends after it", async () => {
      const running = world.start(["run", "-exec", DB, ...WAITING]);
      const user = await up(running);
      await until("sleep", () => readFileSync(`/proc/${running.pid}/comm`, "utf8") === "sleep\n");
      await world.ok("secrets list");
      expect(await usersOn(server)).toEqual([user]);
      running.kill("SIGTERM");
      expect((await running.ended).signal).toBe("SIGTERM");
      await (transport === "process" ? world.ok("secrets list") : world.ok("daemon -once"));
    });

    test("a lease that cannot go on gets its command new credentials, when that is asked for", async () => {
      world.file("seen", "");
      const line = 'echo "$DB_USERNAME" >> seen; [ "$(wc -l < seen)" = 2 ] || exec sleep 30';
      const ended = await run("-env=DB=database/creds/short", "-on-renew-failure=restart", ...sh(line));
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      const seen = readFileSync(`${world.home}/seen`, "utf8").trim().split("\n");
      expect(new Set(seen).size).toBe(2);
    });

    test("files are replaced and a signal says so, when that is asked for", async () => {
      const line =
        'f=$CREDENTIALS_DIRECTORY/u; cat $f; trap "cat $f; exit 0" HUP; while :; do sleep 0.05; done';
      const ended = await run(
        "-file=u=database/creds/short#username",
        "-on-renew-failure=reread",
        ...sh(line),
      );
      expect(ended.code).toBe(0);
      const [, first, second] = /^(v-.+?)(v-.+)$/.exec(ended.stdout) ?? [];
      expect(first).not.toBe(second);
    });
  });
}
