import { badRequest, messageOf, VsecError } from "../../base/errors.ts";
import { randomUuid } from "../../base/random.ts";
import { mountPathOf } from "../mounts/admin.ts";
import { type AuditBroker, auditLine } from "./broker.ts";
import { type DeviceOptions, fileOptions, flagOption, lineOptions } from "./devices/options.ts";
import type { AuditDevice } from "./devices/port.ts";
import type { AuditEntry } from "./entry.ts";
import { auditHash } from "./hashing.ts";
import type { AuditConfig, DeviceEntry } from "./table.ts";

/** Each line is written to each device: more of them would slow every request. */
const DEVICES_MAX = 32;
const HEADERS_MAX = 128;
/** A header's name: RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/** What `sys/audit/<path>` is given. */
export interface EnableDevice {
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly options: DeviceOptions;
  readonly local: boolean;
}

/**
 * Enables an audit device, once it has taken a test line.
 * @throws ApiError 400 with Vault's texts.
 */
export async function enableDevice(broker: AuditBroker, wanted: EnableDevice): Promise<void> {
  const { random } = broker.services;
  const entry: DeviceEntry = {
    path: devicePathOf(wanted.path),
    type: wanted.type,
    uuid: randomUuid(random),
    description: wanted.description,
    options: wanted.options,
    local: wanted.local,
    salt: randomUuid(random),
  };
  refuseClash(await broker.table.load(), entry.path);
  const device = await broker.make(entry);
  try {
    await tryOut(broker, entry, device);
  } finally {
    await device.close();
  }
  await broker.table.change((config) => {
    refuseClash(config, entry.path);
    return { ...config, devices: [...config.devices, entry] };
  });
}

function devicePathOf(text: string): string {
  if (text.replace(/^\/+|\/+$/g, "") === "") throw badRequest("backend path must be specified");
  return mountPathOf(text);
}

function refuseClash({ devices }: AuditConfig, path: string): void {
  if (devices.some((other) => other.path.startsWith(path) || path.startsWith(other.path))) {
    throw badRequest("path already in use");
  }
  if (devices.length >= DEVICES_MAX) throw badRequest(`at most ${DEVICES_MAX} audit devices can be enabled`);
}

async function tryOut(broker: AuditBroker, entry: DeviceEntry, device: AuditDevice): Promise<void> {
  const line = lineOptions(entry.options);
  const isSilent = flagOption(entry.options, "skip_test", false);
  try {
    await device.open();
  } catch (error) {
    const reason = reasonOf(error);
    if (entry.type !== "file") throw badRequest(`sanity check failed; ${reason}`, error);
    const path = JSON.stringify(fileOptions(entry.options).path);
    throw badRequest(`sanity check failed; unable to open ${path} for writing: ${reason}`, error);
  }
  if (isSilent) return;
  try {
    await device.write(auditLine(entry, line, "request", testEntry(broker), {}));
  } catch (error) {
    throw badRequest(`audit backend failed test message: ${reasonOf(error)}`, error);
  }
}

/** What the system or the device said. Anything else is a mistake of ours, and is none of the caller's. */
function reasonOf(error: unknown): string {
  const isOfSystem = error instanceof Error && "code" in error;
  if (error instanceof VsecError || isOfSystem) return messageOf(error);
  throw error;
}

function testEntry({ services }: AuditBroker): AuditEntry {
  return {
    requestId: randomUuid(services.random),
    time: services.clock.now(),
    operation: "update",
    path: "sys/audit/test",
    mount: null,
    data: {},
    clientToken: "",
    caller: null,
    policyResults: null,
    remoteAddress: null,
    wrapTtlSeconds: 0,
    headers: {},
  };
}

/** Disables a device. One that is not there is as good as disabled. */
export async function disableDevice({ table }: AuditBroker, text: string): Promise<void> {
  const path = devicePathOf(text);
  await table.change((config) => {
    const devices = config.devices.filter((device) => device.path !== path);
    return devices.length === config.devices.length ? config : { ...config, devices };
  });
}

/** What a device writes in place of a text, so that it can be searched for. @throws ApiError 400 with Vault's texts. */
export async function hashFor({ table }: AuditBroker, text: string, input: string): Promise<string> {
  if (input === "") throw badRequest('the "input" parameter is empty');
  const path = devicePathOf(text);
  const device = (await table.load()).devices.find((candidate) => candidate.path === path);
  if (device === undefined) throw badRequest(`unknown audit backend ${JSON.stringify(path)}`);
  return auditHash(device.salt, input);
}

/** Has records show a header. @throws ApiError 400 for what is no header's name. */
export async function showHeader({ table }: AuditBroker, text: string, hmac: boolean): Promise<void> {
  const name = headerNameOf(text);
  await table.change((config) => {
    const headers = { ...config.headers, [name]: { hmac } };
    if (Object.keys(headers).length > HEADERS_MAX) {
      throw badRequest(`at most ${HEADERS_MAX} headers can be audited`);
    }
    return { ...config, headers };
  });
}

/** Has records leave a header out. */
export async function hideHeader({ table }: AuditBroker, text: string): Promise<void> {
  const name = headerNameOf(text);
  await table.change((config) => {
    if (!Object.hasOwn(config.headers, name)) return config;
    const { [name]: _, ...headers } = config.headers;
    return { ...config, headers };
  });
}

/** A header's name in the one form that it is kept in. @throws ApiError 400 */
export function headerNameOf(text: string): string {
  if (!HEADER_NAME.test(text) || text === "__proto__") {
    throw badRequest(`invalid header name ${JSON.stringify(text)}`);
  }
  return text.toLowerCase();
}
