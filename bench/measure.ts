/** Runs programs and pieces of work side by side, and says how long they took. Run under Bun (`scripts/bun`). */

/** A program as a shell would start it. */
export interface Program {
  readonly command: readonly string[];
  /** All of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Doing something once. */
export interface Turn {
  /** The part that is timed. */
  run(): unknown;
  /** Clears up. */
  after?(): unknown;
}

/** Something that can be done again and again, and takes time. */
export interface Candidate {
  readonly label: string;
  /** Gets the next turn ready. @param round - Counts up from 0. */
  turn(round: number): Turn | Promise<Turn>;
}

/** Milliseconds, in ascending order. */
export type Samples = readonly number[];

export class BenchFailed extends Error {}

/**
 * Does each candidate in turn, round after round (A B C, A B C, …), so that a busy moment of the machine falls on all
 * of them. The first rounds are not counted: they fill the system's file cache.
 * @returns The samples of each candidate, in order.
 */
export async function interleave(
  candidates: readonly Candidate[],
  rounds: number,
  warmUpRounds = 2,
): Promise<readonly Samples[]> {
  const samples: number[][] = candidates.map(() => []);
  for (let round = 0; round < rounds + warmUpRounds; round += 1) {
    for (const [index, candidate] of candidates.entries()) {
      const turn = await candidate.turn(round);
      const start = performance.now();
      await turn.run();
      const took = performance.now() - start;
      await turn.after?.();
      if (round >= warmUpRounds) samples[index]?.push(took);
    }
  }
  return samples.map((list) => list.sort((a, b) => a - b));
}

/** The value below which the given part of the samples lies. */
export function quantile(samples: Samples, part: number): number {
  const value = samples[Math.min(samples.length - 1, Math.floor(samples.length * part))];
  if (value === undefined) throw new BenchFailed("nothing was measured");
  return value;
}

export function median(samples: Samples): number {
  return quantile(samples, 0.5);
}

/** A candidate that starts a program and waits for its end. */
export function programCandidate(label: string, programOf: (round: number) => Program): Candidate {
  return {
    label,
    turn: (round) => {
      const program = programOf(round);
      return { run: () => runProgram(program) };
    },
  };
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory it held at once. */
  readonly rssBytesMax: number;
}

/** Runs a program to its end. @throws BenchFailed when it fails. */
export function runProgram({ command, env = {}, cwd = "/" }: Program): Ran {
  const ended = Bun.spawnSync({
    cmd: [...command],
    cwd,
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = [ended.stdout.toString(), ended.stderr.toString()];
  if (ended.exitCode !== 0)
    throw new BenchFailed(`${command.join(" ")}: exit code ${ended.exitCode}\n${stdout}${stderr}`);
  return { stdout, stderr, rssBytesMax: ended.resourceUsage?.maxRSS ?? 0 };
}
