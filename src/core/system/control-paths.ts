import type { PathSpec } from "../../framework/backend.ts";
import { generateRootPaths } from "./generate-root-paths.ts";
import { rekeyPaths } from "./rekey-paths.ts";
import type { SealControl } from "./seal-control.ts";
import { sealPaths } from "./seal-paths.ts";
import { statusPaths } from "./status-paths.ts";

/** Every path below `sys/` that an instance answers by itself, without what is in the store. */
export function controlPaths(control: SealControl, now: () => number): PathSpec[] {
  return [
    ...sealPaths(control),
    ...statusPaths(control, now),
    ...rekeyPaths(control),
    ...generateRootPaths(control),
  ];
}
