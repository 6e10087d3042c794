import { isJsonObject, type JsonObject } from "../../base/json.ts";
import type { ApiResponse } from "../../contract/wire.ts";
import { bodyOf } from "../answers.ts";
import { answer, type Outcome, type Result, type Section, tableSentence } from "../outcome.ts";
import type { KvLocation } from "./location.ts";

/** The answer to a write of a secret: what is known about the new version, or a sentence where nothing is answered. */
export function writtenSecret(response: ApiResponse, { isVersioned }: KvLocation, path: string): Result {
  const body = bodyOf(response);
  if (body === undefined) return writtenTo(path);
  const metadata = isJsonObject(body.data) ? body.data : {};
  return answer(
    isVersioned
      ? {
          show: "sections",
          body,
          sections: [pathSection("Secret Path", path), { title: "Metadata", rows: metadata }],
        }
      : { show: "secret", body },
  );
}

/** What a write without an answer says to people. */
export function writtenTo(path: string): Result {
  return answer(tableSentence(`Success! Data written to: ${path}`));
}

/** A section that names a path. */
export function pathSection(title: string, path: string): Section {
  return { title, line: path };
}

/** A version's data in an answer, and what is known about it. Null: the answer has none. */
export function versionIn(body: JsonObject | undefined): {
  readonly data: JsonObject | null;
  readonly metadata: JsonObject | null;
} {
  const outer = isJsonObject(body?.data) ? body.data : {};
  const { data, metadata } = outer;
  return {
    data: data !== undefined && isJsonObject(data) ? data : null,
    metadata: metadata !== undefined && isJsonObject(metadata) ? metadata : null,
  };
}

/** One field of a version's data; `data` is all of them, unless one has that name. */
export function fieldOfData(data: JsonObject): Outcome {
  return { show: "secret", body: { data } };
}
