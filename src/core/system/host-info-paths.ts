import { statfs } from "node:fs/promises";
import { arch, cpus, freemem, hostname, platform, release, totalmem, uptime } from "node:os";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import type { Services } from "../services.ts";

const MS_PER_SECOND = 1000;
const PERCENT = 100;
const ROOT_DIRECTORY = "/";

/**
 * `sys/host-info`: the machine, as far as its system tells everybody. The names are Vault's; what the system does not tell is
 * left out. Times are seconds, sizes bytes.
 */
export function hostInfoPaths({ clock }: Services): PathSpec[] {
  return [
    path({
      pattern: "host-info",
      fields: {},
      help: { synopsis: "Show the machine that this process runs on: processors, memory, disk." },
      operations: {
        read: {
          summary: "Show the machine.",
          handler: async () => ({
            data: {
              timestamp: new Date(clock.now()).toISOString(),
              cpu: processors(),
              cpu_times: processorTimes(),
              disk: [await disk(ROOT_DIRECTORY)],
              host: host(clock.now()),
              memory: memory(),
            },
          }),
        },
      },
    }),
  ];
}

function processors(): JsonObject[] {
  return cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed }));
}

function processorTimes(): JsonObject[] {
  return cpus().map(({ times }, index) => ({
    cpu: `cpu${index}`,
    user: times.user / MS_PER_SECOND,
    system: times.sys / MS_PER_SECOND,
    idle: times.idle / MS_PER_SECOND,
    nice: times.nice / MS_PER_SECOND,
    irq: times.irq / MS_PER_SECOND,
  }));
}

async function disk(directory: string): Promise<JsonObject> {
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(directory);
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  return {
    path: directory,
    total: blocks * bsize,
    free,
    used,
    usedPercent: used + free === 0 ? 0 : (used / (used + free)) * PERCENT,
    inodesTotal: files,
    inodesFree: ffree,
    inodesUsed: files - ffree,
  };
}

function host(nowMs: number): JsonObject {
  const uptimeSeconds = Math.floor(uptime());
  return {
    hostname: hostname(),
    uptime: uptimeSeconds,
    bootTime: Math.floor(nowMs / MS_PER_SECOND) - uptimeSeconds,
    os: platform(),
    kernelVersion: release(),
    kernelArch: arch(),
  };
}

function memory(): JsonObject {
  const [total, free] = [totalmem(), freemem()];
  return { total, free, used: total - free, usedPercent: ((total - free) / total) * PERCENT };
}
