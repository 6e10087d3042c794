/**
 * Runs the tests: `scripts/bun scripts/test.ts [FILE|FOLDER]...` (all of test/ without arguments).
 *
 * Each file runs in a process of its own, so that one that crashes or hangs costs only itself. The last line is
 * `N passed, N failed, N skipped`; the exit code is 1 when anything failed, and when nothing ran.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
/** Integration tests start servers; more at a time than this only makes them wait for each other. */
const WORKERS = Math.min(4, Math.max(2, availableParallelism()));
const TEST_TIMEOUT_MS = 60_000;
const FILE_TIMEOUT_MS = Number(process.env.TEST_FILE_TIMEOUT_MS ?? 600_000);
/** After a file's process has ended, its last output is waited for this long. */
const PIPES_TIMEOUT_MS = 2000;
/** Of one file's output, the end is kept: that is where a failure is. */
const OUTPUT_CHARS_MAX = 200_000;

interface TestCase {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

interface FileResult {
  readonly file: string;
  readonly cases: readonly TestCase[];
  readonly output: string;
  readonly seconds: number;
}

const running = new Set<ChildProcess>();

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch (error) {
    // The group is gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function findTests(args: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const arg of args.length === 0 ? [path.join(ROOT, "test")] : args) {
    const where = path.resolve(arg);
    if (!(await stat(where)).isDirectory()) {
      files.add(where);
      continue;
    }
    for (const entry of await readdir(where, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith(".test.ts"))
        files.add(path.join(entry.parentPath, entry.name));
    }
  }
  return [...files].sort();
}

/** A shell's own settings must not decide what a test sees: no vsec or Vault variables, no home of a person, no colours. */
function testEnvironment(tempDir: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(?:VSEC_|VAULT_|XDG_|PG)|^(?:BUN_OPTIONS|BUN_BE_BUN|FORCE_COLOR|NO_COLOR)$/.test(name))
      env[name] = value;
  }
  return { ...env, CI: "true", HOME: path.join(tempDir, "home"), TMPDIR: tempDir };
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|(lt|gt|quot|apos|amp));/g, (_, code: string | undefined, name: string) =>
    code === undefined ? (ENTITIES[name] ?? "") : String.fromCodePoint(Number(code)),
  );
}

/** The test cases of a JUnit report as Bun writes it. */
function parseReport(xml: string): readonly TestCase[] {
  const cases: TestCase[] = [];
  const pattern = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, name = "", group = "", body = ""] of xml.matchAll(pattern)) {
    // A group's name arrives escaped twice where groups are nested.
    const groups = group === "" ? [] : [unescapeXml(unescapeXml(group))];
    const outcome = /<(?:failure|error)\b/.test(body)
      ? "failed"
      : body.includes("<skipped")
        ? "skipped"
        : "passed";
    cases.push({ name: [...groups, unescapeXml(name)].join(" > "), outcome });
  }
  return cases;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isLate: boolean;
  readonly output: string;
}

async function runProcess(file: string, report: string, tempDir: string): Promise<Ending> {
  const flags = ["--only-failures", "--no-orphans", `--timeout=${TEST_TIMEOUT_MS}`];
  const child = spawn(
    process.execPath,
    ["test", file, ...flags, "--reporter=junit", `--reporter-outfile=${report}`],
    // A group of its own, so that whatever the file started can be ended with it.
    { cwd: ROOT, env: testEnvironment(tempDir), stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  running.add(child);
  let output = "";
  const collect = (chunk: string): void => {
    output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child, "SIGKILL");
  }, FILE_TIMEOUT_MS);
  const { promise, resolve, reject } = Promise.withResolvers<Ending>();
  child.once("error", reject);
  child.once("exit", (code, signal) => {
    // What the file left behind is ended; what escaped the group must not hold up the rest by holding the pipes open.
    killGroup(child, "SIGKILL");
    const done = (): void => resolve({ code, signal, isLate, output });
    child.once("close", done);
    setTimeout(done, PIPES_TIMEOUT_MS).unref();
  });
  return promise.finally(() => {
    clearTimeout(timer);
    running.delete(child);
  });
}

/** What is wrong with the file as a whole, when its report does not say it. */
function fileFailure(ending: Ending, cases: readonly TestCase[]): string | undefined {
  if (ending.isLate) return `took longer than ${FILE_TIMEOUT_MS / 1000} s and was ended`;
  if (ending.signal !== null) return `died by ${ending.signal}`;
  if (ending.code !== 0 && !cases.some((test) => test.outcome === "failed"))
    return `exit code ${ending.code}`;
  return cases.length === 0 ? "ended without a test" : undefined;
}

async function runFile(file: string, tempDir: string, index: number): Promise<FileResult> {
  const startedAt = performance.now();
  const ownDir = path.join(tempDir, String(index));
  await mkdir(path.join(ownDir, "home"), { recursive: true });
  // Like /tmp itself: servers that refuse to run as root run as another user, below this folder.
  await chmod(ownDir, 0o1777);
  const report = path.join(tempDir, `${index}.xml`);
  const ending = await runProcess(file, report, ownDir);
  const xml = await readFile(report, "utf8").catch(() => "");
  const cases = [...parseReport(xml)];
  const problem = fileFailure(ending, cases);
  if (problem !== undefined) cases.push({ name: `(the file) ${problem}`, outcome: "failed" });
  const seconds = (performance.now() - startedAt) / 1000;
  return { file: path.relative(ROOT, file), cases, output: ending.output, seconds };
}

function count(results: readonly FileResult[], outcome: TestCase["outcome"]): number {
  return results.flatMap((result) => result.cases).filter((test) => test.outcome === outcome).length;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tally(results: readonly FileResult[]): string {
  const [passed, failed, skipped] = (["passed", "failed", "skipped"] as const).map((it) =>
    count(results, it),
  );
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function showFile(result: FileResult): void {
  const failed = count([result], "failed") > 0;
  say(`${failed ? "FAIL" : "ok  "} ${result.file}: ${tally([result])} (${result.seconds.toFixed(1)} s)`);
  if (failed && result.output.trim() !== "") say(`${result.output.trim().replace(/^/gm, "     | ")}\n`);
}

function showList(title: string, results: readonly FileResult[], outcome: TestCase["outcome"]): void {
  const lines = results.flatMap((result) =>
    result.cases.filter((test) => test.outcome === outcome).map((test) => `  ${result.file} > ${test.name}`),
  );
  if (lines.length > 0) say(`\n${title}:\n${lines.join("\n")}`);
}

async function runAll(files: readonly string[], tempDir: string): Promise<readonly FileResult[]> {
  const results: FileResult[] = [];
  const queue = files.map((file, index) => ({ file, index }));
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const result = await runFile(next.file, tempDir, next.index);
      showFile(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return results.sort((a, b) => (a.file < b.file ? -1 : 1));
}

async function main(args: readonly string[]): Promise<number> {
  const files = await findTests(args);
  const tempDir = await mkdtemp(path.join(tmpdir(), "vt-"));
  await chmod(tempDir, 0o755);
  const end = (signal: NodeJS.Signals): void => {
    for (const child of running) killGroup(child, "SIGKILL");
    void rm(tempDir, { recursive: true, force: true }).finally(() => process.kill(process.pid, signal));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  try {
    const results = await runAll(files, tempDir);
    showList("Failed", results, "failed");
    showList("Skipped", results, "skipped");
    say(`\n${tally(results)}`);
    return count(results, "failed") > 0 || count(results, "passed") === 0 ? 1 : 0;
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`scripts/test.ts: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
