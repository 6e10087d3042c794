import { composeInstance, type Instance } from "../src/compose.ts";
import { POLICY_PREFIX } from "../src/core/policies/store.ts";
import { World } from "../test/e2e/world.ts";
import { BenchFailed, type Candidate, interleave, type Samples } from "./measure.ts";

const ROUNDS = 12;
/** Requests of a turn. */
export const STORE_REQUESTS = 300;

/** A store, and a token that holds one of its policies. */
interface PolicyStore {
  readonly world: World;
  readonly instance: Instance;
  readonly token: string;
}

/**
 * Requests of a token that holds one policy, in stores that hold more or fewer of them.
 * @param counts - How many policies each store holds.
 * @param textOf - The text of a policy, by its number.
 * @returns Milliseconds of {@link STORE_REQUESTS} requests, for each store.
 */
export async function requestsAmongPolicies(
  counts: readonly number[],
  textOf: (index: number) => string,
): Promise<readonly Samples[]> {
  const stores: PolicyStore[] = [];
  try {
    for (const count of counts) stores.push(await openStore(count, textOf));
    return await interleave(stores.map(requester), ROUNDS);
  } finally {
    for (const { instance, world } of stores) {
      await instance.close();
      world.remove();
    }
  }
}

async function openStore(count: number, textOf: (index: number) => string): Promise<PolicyStore> {
  const world = new World();
  await world.ok("operator init -seal=key-file");
  const instance = composeInstance({ env: { HOME: world.home, VSEC_STORE: world.store } });
  const core = await instance.core();
  if (core === null) throw new BenchFailed("the store is sealed");
  const writes = Array.from({ length: count }, (_, index) => {
    const value = new TextEncoder().encode(JSON.stringify({ v: 1, policy: textOf(index) }));
    return { op: "put", key: `${POLICY_PREFIX}team-${index}`, value } as const;
  });
  await core.services.barrier.commit(writes);
  const created = await world.json<{ auth: { client_token: string } }>("token create -policy=team-0");
  return { world, instance, token: created.auth.client_token };
}

function requester({ instance, token }: PolicyStore): Candidate {
  const run = async (): Promise<void> => {
    for (let index = 0; index < STORE_REQUESTS; index += 1) {
      const { status } = await instance.handle({ method: "GET", path: "auth/token/lookup-self", token });
      if (status !== 200) throw new BenchFailed(`a token's lookup: status ${status}`);
    }
  };
  return { label: "requests", turn: () => ({ run }) };
}
