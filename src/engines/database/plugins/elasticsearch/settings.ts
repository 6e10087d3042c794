/** What the connection details of an Elasticsearch connection mean. @see reference: engines.md section 1.9.6. */

import { badRequest } from "../../../../base/errors.ts";
import type { JsonObject } from "../../../../base/json.ts";
import { booleanDetail, textDetail } from "../../connection-url.ts";
import { requiredDetail } from "../../details.ts";

export interface ElasticsearchSettings {
  /** Without a slash at its end. */
  readonly url: URL;
  readonly username: string;
  readonly password: string;
  /** A file with authorities, or their PEM text. "": the system's. */
  readonly authorityFile: string;
  /** A folder of such files. */
  readonly authorityFolder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly serverName: string;
  readonly isVerified: boolean;
  /** Where the security API is: `/_security`, or its old place. */
  readonly prefix: string;
}

/** Reads connection details. @throws ApiError 400 naming the parameter that is wrong. */
export function elasticsearchSettings(details: JsonObject): ElasticsearchSettings {
  const certificateFile = textDetail(details, "client_cert");
  const keyFile = textDetail(details, "client_key");
  if ((certificateFile === "") !== (keyFile === "")) {
    throw badRequest("client_cert and client_key must be given together");
  }
  return {
    url: urlOf(required(details, "url")),
    username: required(details, "username"),
    password: required(details, "password"),
    authorityFile: textDetail(details, "ca_cert"),
    authorityFolder: textDetail(details, "ca_path"),
    certificateFile,
    keyFile,
    serverName: textDetail(details, "tls_server_name"),
    isVerified: !booleanDetail(details, "insecure"),
    prefix: booleanDetail(details, "use_old_xpack") ? "/_xpack/security" : "/_security",
  };
}

/** In Vault's words. */
function required(details: JsonObject, name: string): string {
  try {
    return requiredDetail(details, name);
  } catch (error) {
    throw badRequest(`"${name}" must be provided`, error);
  }
}

function urlOf(text: string): URL {
  if (!URL.canParse(text)) throw badRequest("url is not a URL");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw badRequest("url must begin with https:// or http://");
  if (url.username !== "" || url.password !== "") {
    throw badRequest("url must not hold a login; give username and password by themselves");
  }
  return url;
}
