import { beforeEach, describe, expect, test } from "bun:test";
import type { Liveness, ProcessIdentity } from "../../src/base/processes.ts";
import { CoreWorld, dataOf, HOST } from "./world.ts";

const PROCESS: ProcessIdentity = { pid: 4711, startedAt: "100", host: HOST };

let world: CoreWorld;
/** How it is with process 4711; all others live. */
let liveness: Liveness;

beforeEach(async () => {
  world = await CoreWorld.create();
  liveness = "alive";
  world.processes.liveness = ({ pid }) => (pid === PROCESS.pid ? liveness : "alive");
});

async function issueFor(
  owner: ProcessIdentity,
  name = "a",
  label?: string,
): Promise<{ id: string; key: string }> {
  const leaseFor = { owner, ...(label === undefined ? {} : { label }) };
  const { body } = await world.send("GET", `tiny/key/${name}`, { query: { ttl: "1h" }, leaseFor });
  const { lease_id: id, data } = body as unknown as { lease_id: string; data: { key: string } };
  return { id, key: data.key };
}

describe("a lease that is for a process", () => {
  test("says so when it is looked up, with its label", async () => {
    const { id } = await issueFor(PROCESS, "a", "nightly");
    const found = dataOf(await world.put("sys/leases/lookup", { lease_id: id }));
    expect(found).toMatchObject({ label: "nightly", owner_host: "here", owner_pid: 4711 });
    const { id: other } = await world.issue("tiny/key/b", { ttl: "1h" });
    expect(Object.keys(dataOf(await world.put("sys/leases/lookup", { lease_id: other })))).not.toContain(
      "label",
    );
  });

  test("stays while the process lives, however often it is looked at", async () => {
    const { key } = await issueFor(PROCESS);
    for (let looks = 0; looks < 5; looks += 1) {
      world.advance(30);
      expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
      expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 0, failed: 0 });
    }
    expect([...world.keys.live]).toEqual([key]);
  });

  test("is ended by the next command once the process is gone, before anything is due", async () => {
    await issueFor(PROCESS, "a");
    await issueFor(PROCESS, "b");
    const { key } = await issueFor({ ...PROCESS, pid: 5 });
    liveness = "dead";
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 2, failed: 0 });
    expect([...world.keys.live]).toEqual([key]);
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 0, failed: 0 });
  });

  test("is ended by a daemon at its next look", async () => {
    await issueFor(PROCESS);
    liveness = "dead";
    world.advance(25);
    expect(await world.daemon()).toEqual({ done: 1, failed: 0 });
    expect([...world.keys.live]).toEqual([]);
    expect(await world.core.nextDue()).toBeNull();
  });

  test("is left alone by whoever cannot see the process, and ends by its TTL", async () => {
    const { key } = await issueFor({ ...PROCESS, host: { ...HOST, boot: "elsewhere" } });
    liveness = "unknown";
    world.advance(25);
    await world.daemon();
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 0, failed: 0 });
    expect([...world.keys.live]).toEqual([key]);
    world.advance(3600);
    await world.daemon();
    expect([...world.keys.live]).toEqual([]);
  });

  test("leaves nothing behind when it was revoked in time", async () => {
    const { id } = await issueFor(PROCESS);
    await world.put("sys/leases/revoke", { lease_id: id });
    world.advance(25);
    await world.daemon();
    expect(await world.core.nextDue()).toBeNull();
    expect((await world.barrier.scan("lease-owner/", { limit: 10 })).entries).toEqual([]);
  });

  test("whose revocation fails is retried like any other, and its owner is looked at no more", async () => {
    await issueFor(PROCESS);
    liveness = "dead";
    world.keys.broken = "the backend is away";
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 0, failed: 1 });
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 0, failed: 0 });
    world.keys.broken = null;
    world.advance(60);
    await world.daemon();
    expect([...world.keys.live]).toEqual([]);
  });

  test("issued for a process that has just been buried is found again", async () => {
    await issueFor(PROCESS, "a");
    liveness = "dead";
    await world.core.endLeasesOfDead();
    await issueFor(PROCESS, "b");
    expect(await world.core.endLeasesOfDead()).toEqual({ revoked: 1, failed: 0 });
    expect([...world.keys.live]).toEqual([]);
  });
});
