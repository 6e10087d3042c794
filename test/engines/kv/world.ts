import type { Json, JsonObject } from "../../../src/base/json.ts";
import type { ApiResponse } from "../../../src/contract/wire.ts";
import { CoreWorld } from "../../core/world.ts";

/** A core with a kv mount of version 2 at `secret/`, and one of version 1 at `plain/`. */
export async function kvWorld(): Promise<CoreWorld> {
  const world = await CoreWorld.create();
  await mustWork(world.put("sys/mounts/secret", { type: "kv-v2" }));
  await mustWork(world.put("sys/mounts/plain", { type: "kv" }));
  return world;
}

/** @throws TypeError for a refusal. */
export async function mustWork(answer: Promise<ApiResponse>): Promise<ApiResponse> {
  const response = await answer;
  if (response.status >= 400) throw new TypeError(`refused: ${JSON.stringify(response)}`);
  return response;
}

/** Writes a new version, and returns its number. @throws TypeError for a refusal. */
export async function write(
  world: CoreWorld,
  path: string,
  data: JsonObject,
  options: JsonObject = {},
): Promise<number> {
  const { body } = await mustWork(world.put(`secret/data/${path}`, { data, options }));
  return (body as { data: { version: number } }).data.version;
}

/** What a read of a secret shows: its status, its data and what is known about the version. */
export async function read(
  world: CoreWorld,
  path: string,
  version = 0,
): Promise<{ status: number; data: Json | undefined; metadata: JsonObject | undefined }> {
  const { status, body } = await world.get(`secret/data/${path}`, version === 0 ? {} : { version });
  const shown = (body as { data?: { data: Json; metadata: JsonObject } }).data;
  return { status, data: shown?.data, metadata: shown?.metadata };
}
