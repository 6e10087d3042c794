import { badRequest } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { field } from "../../framework/field.ts";
import type { ConnectionConfig } from "./config.ts";
import type { Connections } from "./connections.ts";
import type { Login } from "./plugin.ts";

export const CONNECTION_FIELD = field.bool({
  description:
    "Add a connection URL, the variables that the database's clients read, and how TLS is used to the answer.",
});

/**
 * What an answer with a login says besides, when it was asked for.
 * @throws ApiError 400 where the plugin cannot tell.
 */
export async function describeConnection(
  connections: Connections,
  config: ConnectionConfig,
  login: Login,
): Promise<JsonObject> {
  const type = await connections.typeOf(config);
  if (type.clientConnection === undefined) {
    throw badRequest(`connection: plugin "${config.pluginName}" cannot tell how its clients connect`);
  }
  const { url, environment, tlsMode, authorities } = await type.clientConnection(config.details, login);
  return {
    connection_url: url,
    environment,
    ...(tlsMode === undefined ? {} : { tls_mode: tlsMode }),
    ...(authorities === undefined ? {} : { tls_ca: authorities }),
  };
}
