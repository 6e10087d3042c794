#!/usr/bin/env node
// Starts the compiled vsec for npm's sake: same arguments, same streams, same exit. Plain Node, nothing to install.
import { spawn } from "node:child_process";
import { accessSync, constants as fsConstants } from "node:fs";
import { createRequire } from "node:module";
import { constants as osConstants } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Bun obeys these in a compiled binary too: they would make it run other code than vsec's. */
const NOT_PASSED_ON = [
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  "BUN_INSPECT",
  "BUN_INSPECT_CONNECT_TO",
  "BUN_INSPECT_NOTIFY",
];

/** What can be sent to a process to end it or to tell it something. The keyboard sends the first two. */
const KEYBOARD_SIGNALS = ["SIGINT", "SIGQUIT"];
const OTHER_SIGNALS = ["SIGTERM", "SIGHUP", "SIGUSR2"];

/** npm installs the one that fits this machine's C library; the other is not there. */
const PLATFORM_PACKAGE = `@vsec/${process.platform}-${process.arch}`;
const PLATFORM_PACKAGES = [PLATFORM_PACKAGE, `${PLATFORM_PACKAGE}-musl`];
const PROGRAM = process.platform === "win32" ? "vsec.exe" : "vsec";

function isExecutable(file) {
  try {
    accessSync(file, fsConstants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The binary built in this checkout or shipped in this package, else the one of the installed platform package. */
function findBinary() {
  const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "dist", PROGRAM);
  if (isExecutable(here)) return here;
  return PLATFORM_PACKAGES.map(installedIn).find((file) => file !== undefined);
}

function installedIn(name) {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const installed = path.join(path.dirname(manifest), "bin", PROGRAM);
    return isExecutable(installed) ? installed : undefined;
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`vsec: ${message}\n`);
  process.exitCode = 1;
}

function run(binary) {
  const env = { ...process.env };
  for (const name of NOT_PASSED_ON) delete env[name];
  const child = spawn(binary, process.argv.slice(2), { stdio: "inherit", env });

  // At a terminal, Ctrl-C reaches the child by itself; passing it on would make it two, and the second one means "now".
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const handlers = new Map();
  for (const signal of [...KEYBOARD_SIGNALS, ...OTHER_SIGNALS]) {
    const isFromKeyboard = atTerminal && KEYBOARD_SIGNALS.includes(signal);
    handlers.set(signal, () => {
      if (!isFromKeyboard) child.kill(signal);
    });
  }
  for (const [signal, handler] of handlers) process.on(signal, handler);

  child.on("error", (error) => fail(`${binary} cannot be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    for (const [name, handler] of handlers) process.removeListener(name, handler);
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    // Dies of what the child died of, so that a shell sees it. The code stands in if the signal is being ignored.
    process.exitCode = 128 + (osConstants.signals[signal] ?? 0);
    process.kill(process.pid, signal);
  });
}

const binary = findBinary();
if (binary === undefined) {
  fail(
    `there is no binary for this machine: install ${PLATFORM_PACKAGE}, or run \`make build\` in a checkout`,
  );
} else {
  run(binary);
}
