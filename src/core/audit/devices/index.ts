import type { Clock } from "../../../base/clock.ts";
import { badRequest } from "../../../base/errors.ts";
import { type DeviceOptions, fileOptions, socketOptions } from "./options.ts";
import type { AuditDevice, Console } from "./port.ts";

export interface DeviceWorld {
  readonly clock: Clock;
  /** Standard output; undefined: this process's. */
  readonly console: Console | undefined;
}

type MakeDevice = (options: DeviceOptions, world: DeviceWorld) => Promise<AuditDevice>;

/** The kinds of audit devices. Their code is loaded when a device of the kind is used. */
const TYPES: Readonly<Record<string, MakeDevice>> = {
  file: async (options, world) => {
    const file = fileOptions(options);
    const word = file.path.toLowerCase();
    if (word === "stdout") return makeStdout(world);
    if (word === "discard") return (await import("./stdout.ts")).discardDevice();
    const { FileDevice } = await import("./file.ts");
    return new FileDevice(file, world.clock);
  },
  socket: async (options, { clock }) => {
    const socket = socketOptions(options);
    const { SocketDevice } = await import("./socket.ts");
    return new SocketDevice(socket, clock);
  },
  stdout: (_, world) => makeStdout(world),
};

async function makeStdout({ clock, console }: DeviceWorld): Promise<AuditDevice> {
  const { processStdout, stdoutDevice } = await import("./stdout.ts");
  return stdoutDevice(console ?? processStdout(clock));
}

/** Makes a device, not yet open. @throws ApiError 400 for an unknown type, and for options that it cannot have. */
export async function makeDevice(
  type: string,
  options: DeviceOptions,
  world: DeviceWorld,
): Promise<AuditDevice> {
  const make = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (make === undefined) {
    // Nothing that runs without a server of its own can say that a line has reached the system's log safely.
    const instead = type === "syslog" ? "; send to the system's log through a file or socket device" : "";
    throw badRequest(`unknown backend type: ${JSON.stringify(type)}${instead}`);
  }
  return make(options, world);
}
