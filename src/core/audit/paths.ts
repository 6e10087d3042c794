import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { type PathSpec, path } from "../../framework/backend.ts";
import { field } from "../../framework/field.ts";
import type { Services } from "../services.ts";
import { disableDevice, enableDevice, hashFor, headerNameOf, hideHeader, showHeader } from "./admin.ts";
import type { AuditBroker } from "./broker.ts";
import type { DeviceEntry } from "./table.ts";

const DEVICE_PATH = field.string({ description: "Where the device is enabled." });

/** `sys/audit`, `sys/audit-hash`, `sys/config/auditing`: what is written down, and where. @see reference: audit, devices. */
export function auditPaths(_services: Services, broker: AuditBroker): PathSpec[] {
  return [listPath(broker), devicePath(broker), hashPath(broker), headersPath(broker), headerPath(broker)];
}

function describe({ path, type, description, options, local }: DeviceEntry): JsonObject {
  return { path, type, description, options, local };
}

function listPath({ table }: AuditBroker): PathSpec {
  return path({
    pattern: "audit",
    sudo: true,
    fields: {},
    help: { synopsis: "List the enabled audit devices." },
    operations: {
      read: {
        summary: "List the enabled audit devices.",
        handler: async () => {
          const devices = [...(await table.load()).devices].sort((a, b) => (a.path < b.path ? -1 : 1));
          return { data: Object.fromEntries(devices.map((device) => [device.path, describe(device)])) };
        },
      },
    },
  });
}

function devicePath(broker: AuditBroker): PathSpec {
  return path({
    pattern: "audit/*path",
    sudo: true,
    fields: {
      path: DEVICE_PATH,
      type: field.string({ description: "The kind of device: file, socket or stdout.", required: true }),
      description: field.string({ description: "What the device is for, for people." }),
      options: field.kvPairs({
        description:
          "file: file_path, mode. socket: address, socket_type, write_timeout. All: hmac_accessor, log_raw, " +
          "elide_list_responses, prefix, format (json), skip_test.",
      }),
      local: field.bool({ description: "Not replicated. Kept and shown." }),
    },
    help: { synopsis: "Enable or disable an audit device." },
    operations: {
      update: {
        summary: "Enable an audit device, once it has taken a test line.",
        handler: async ({ values }) => {
          await enableDevice(broker, values);
          return undefined;
        },
      },
      delete: {
        summary: "Disable an audit device.",
        handler: async ({ values }) => {
          await disableDevice(broker, values.path);
          return undefined;
        },
      },
    },
  });
}

function hashPath(broker: AuditBroker): PathSpec {
  return path({
    pattern: "audit-hash/*path",
    fields: {
      path: DEVICE_PATH,
      input: field.string({ description: "The text to be hashed.", required: true, sensitive: true }),
    },
    help: { synopsis: "Show what an audit device writes in place of a text, to search its lines for it." },
    operations: {
      update: {
        summary: "Hash a text as the device does.",
        handler: async ({ values }) => ({ data: { hash: await hashFor(broker, values.path, values.input) } }),
      },
    },
  });
}

function headersPath({ table }: AuditBroker): PathSpec {
  return path({
    pattern: "config/auditing/request-headers",
    sudo: true,
    fields: {},
    help: { synopsis: "List the request headers that audit lines show." },
    operations: {
      read: {
        summary: "List the request headers that audit lines show.",
        handler: async () => ({ data: { headers: (await table.load()).headers } }),
      },
    },
  });
}

function headerPath(broker: AuditBroker): PathSpec {
  return path({
    pattern: "config/auditing/request-headers/:header",
    captures: { header: /[^/]+/ },
    sudo: true,
    fields: {
      header: field.string({ description: "The header's name, in any case." }),
      hmac: field.bool({ description: "Whether its values are hashed." }),
    },
    help: { synopsis: "Have audit lines show a request header, or leave it out." },
    operations: {
      read: {
        summary: "Show how a header is audited.",
        handler: async ({ values }) => {
          const { headers } = await broker.table.load();
          const name = headerNameOf(values.header);
          const header = Object.hasOwn(headers, name) ? headers[name] : undefined;
          if (header === undefined) throw badRequest("Could not find header in config");
          return { data: { [values.header]: header } };
        },
      },
      update: {
        summary: "Have audit lines show a header.",
        handler: async ({ values }) => {
          await showHeader(broker, values.header, values.hmac);
          return undefined;
        },
      },
      delete: {
        summary: "Have audit lines leave a header out.",
        handler: async ({ values }) => {
          await hideHeader(broker, values.header);
          return undefined;
        },
      },
    },
  });
}
