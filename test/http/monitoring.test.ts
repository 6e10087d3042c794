import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isJsonObject, type JsonObject, parseJson } from "../../src/base/json.ts";
import { type Served, serve } from "./world.ts";

describe("monitoring over HTTP", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ tcp: true });
  });
  afterAll(async () => served?.[Symbol.asyncDispose]());

  const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
    fetch(`http://127.0.0.1:${served.port}/v1/sys/${path}`, {
      method,
      headers: { "X-Vault-Token": served.rootToken, ...headers },
    });
  const bodyOf = async (answer: Response): Promise<JsonObject> => {
    const body = parseJson(await answer.text());
    if (!isJsonObject(body)) throw new Error("the answer is no object");
    return body;
  };

  describe("health", () => {
    test.each([
      ["activecode=299", 299],
      ["activecode=204", 204],
      ["activecode=999", 999],
      ["standbycode=430&drsecondarycode=473&performancestandbycode=474&sealedcode=540&uninitcode=541", 200],
      ["standbyok=true&perfstandbyok=true", 200],
      ["standbyok", 200],
      ["activecode=ok", 400],
      ["standbycode=ok", 400],
      ["drsecondarycode=4e", 400],
      ["performancestandbycode=-", 400],
      ["standbyok=perhaps", 400],
      ["activecode=99", 400],
      ["activecode=1000", 400],
      ["sealedcode=-1", 400],
    ])("of a working store with ?%s is %d", async (query, status) => {
      expect((await get(`health?${query}`)).status).toBe(status);
    });

    test("answers HEAD with the same status and no body", async () => {
      const answer = await get("health?activecode=298", {}, "HEAD");
      expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 298, text: "" });
    });

    test("with a status that has no body does not spoil the connection's next answer", async () => {
      await using own = await serve({ tcp: true });
      const { RawClient } = await import("./world.ts");
      const client = new RawClient(own);
      const ask = (query: string): string => `GET /v1/sys/health${query} HTTP/1.1\r\nHost: x\r\n\r\n`;
      client.socket.write(`${ask("?activecode=204")}${ask("?activecode=304")}${ask("")}`);
      const statuses = [await client.answer(), await client.answer(), await client.answer()];
      expect(statuses.map(({ status, text }) => [status, text === ""])).toEqual([
        [204, true],
        [304, true],
        [200, false],
      ]);
      client.socket.destroy();
    });
  });

  describe("metrics", () => {
    const countOf = (text: string, line: string): number =>
      Number(
        text
          .split("\n")
          .find((candidate) => candidate.startsWith(`${line} `))
          ?.split(" ")[1] ?? 0,
      );

    test("in Prometheus' format declare each name once, and count requests", async () => {
      const answer = await get("metrics?format=prometheus");
      expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      const before = await answer.text();
      const names = before.split("\n").filter((line) => line.startsWith("# TYPE "));
      expect(new Set(names).size).toBe(names.length);
      for (const line of before.trimEnd().split("\n"))
        expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="\w+"(?:,\w+="\w+")*\})? [\d.e+-]+)$/);
      expect(before).toContain("\nvault_core_unsealed 1\n");
      await get("mounts");
      await get("no-such-path");
      const after = await (await get("metrics?format=prometheus")).text();
      const grown = (line: string): number => countOf(after, line) - countOf(before, line);
      // The first scrape itself, which could not count itself yet, is the second good one.
      expect(grown('vsec_requests_total{method="GET",status="2xx"}')).toBe(2);
      expect(grown('vsec_requests_total{method="GET",status="4xx"}')).toBe(1);
      expect(grown("vault_core_handle_request_count")).toBe(3);
      expect(countOf(after, "vault_runtime_sys_bytes")).toBeGreaterThan(1_000_000);
    });

    test("come in Prometheus' format for its scraper, without being told", async () => {
      const Accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
      expect(await (await get("metrics", { Accept })).text()).toStartWith("# HELP ");
    });

    test("are else JSON in the shape of Vault's", async () => {
      const body = await bodyOf(await get("metrics"));
      expect(Object.keys(body)).toEqual(["Timestamp", "Gauges", "Points", "Counters", "Samples"]);
      expect(body.Timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/);
      expect(body.Gauges).toContainEqual({ Name: "vault.core.unsealed", Value: 1, Labels: {} });
      const [sample] = body.Samples as readonly JsonObject[];
      expect(Object.keys(sample ?? {}).sort()).toEqual(
        ["Count", "Labels", "Max", "Mean", "Min", "Name", "Rate", "Stddev", "Sum"].sort(),
      );
    });

    test("are refused in another format, and to who has no token", async () => {
      expect((await get("metrics?format=xml")).status).toBe(400);
      expect((await get("metrics", { "X-Vault-Token": "" })).status).toBe(403);
    });
  });

  describe("host-info", () => {
    test("tells processors, memory and disk", async () => {
      const { data } = await bodyOf(await get("host-info"));
      expect(data).toMatchObject({
        timestamp: expect.stringMatching(/^\d{4}-/),
        cpu: expect.arrayContaining([expect.objectContaining({ cpu: 0 })]),
        cpu_times: expect.arrayContaining([expect.objectContaining({ cpu: "cpu0" })]),
        disk: [expect.objectContaining({ path: "/", total: expect.any(Number) })],
        host: expect.objectContaining({ os: process.platform }),
        memory: expect.objectContaining({ total: expect.any(Number) }),
      });
    });

    test("is refused to who has no token", async () => {
      expect((await get("host-info", { "X-Vault-Token": "" })).status).toBe(403);
    });
  });
});
