/** What pages take for granted. */

import { until } from "../../servers/process.ts";
import type { Place } from "../place.ts";

/** A store, with its key in a file: the keychain of whoever runs the tests is left alone. */
export async function initStore({ world }: Place): Promise<void> {
  await world.ok("operator init -seal=key-file");
}

/** Waits until a daemon answers at a URL. */
export async function answers(url: string): Promise<void> {
  const isUp = async () => {
    const answer = await fetch(`${url}/v1/sys/health`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer !== undefined;
  };
  await until(`a daemon at ${url}`, isUp);
}
