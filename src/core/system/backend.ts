import type { Backend, PathSpec } from "../../framework/backend.ts";
import type { Services } from "../services.ts";
import { irrevocablePaths } from "./irrevocable-paths.ts";
import { keyPaths } from "./key-paths.ts";
import { leasePaths } from "./lease-paths.ts";
import { mountPaths } from "./mount-paths.ts";
import { remountPaths } from "./remount-paths.ts";
import { specPaths } from "./spec-paths.ts";

/** The core's own API below `sys/`. */
export function systemBackend(services: Services, sealPaths: readonly PathSpec[]): Backend {
  return {
    help: "The system backend controls what is mounted, the leases, and the store's keys.",
    paths: [
      ...sealPaths,
      ...mountPaths(services),
      ...remountPaths(services),
      ...leasePaths(services),
      ...irrevocablePaths(services),
      ...keyPaths(services),
      ...specPaths(services),
    ],
    secrets: [],
  };
}
