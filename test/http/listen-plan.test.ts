import { describe, expect, test } from "bun:test";
import { type ListenOptions, parseAddress, planListeners } from "../../src/daemon/listen-plan.ts";
import { inheritedSockets } from "../../src/daemon/systemd.ts";

const STORE = "/store/daemon.sock";
const TLS = { tlsCertFile: "/c.pem", tlsKeyFile: "/k.pem" };

describe("where a daemon listens", () => {
  test.each<[ListenOptions, object]>([
    [{}, { sockets: [{ path: STORE }], tcp: [] }],
    [{ noListen: true }, { sockets: [], tcp: [] }],
    [{ socket: "/run/x.sock" }, { sockets: [{ path: "/run/x.sock" }], tcp: [] }],
    [
      { socket: "/run/x.sock", socketGroup: "deploy" },
      { sockets: [{ path: "/run/x.sock", group: "deploy" }], tcp: [] },
    ],
    [
      { listen: ["127.0.0.1:8200", "[::1]:0", "localhost:1"] },
      {
        sockets: [{ path: STORE }],
        tcp: [
          { host: "127.0.0.1", port: 8200 },
          { host: "::1", port: 0 },
          { host: "localhost", port: 1 },
        ],
      },
    ],
    [
      { listen: [":8200"], ...TLS, tlsClientCaFile: "/ca.pem" },
      {
        sockets: [{ path: STORE }],
        tcp: [{ host: "::", port: 8200 }],
        tls: { certFile: "/c.pem", keyFile: "/k.pem", clientCaFile: "/ca.pem" },
      },
    ],
    [
      { listen: ["10.0.0.1:80"], tlsDisable: true },
      { sockets: [{ path: STORE }], tcp: [{ host: "10.0.0.1", port: 80 }] },
    ],
  ])("%j", (options, plan) => {
    expect(planListeners(options, STORE)).toEqual(plan as ReturnType<typeof planListeners>);
  });

  test.each<[ListenOptions, string]>([
    [{ listen: ["0.0.0.0:8200"] }, "is not on the loopback interface"],
    [{ listen: [":8200"] }, "is not on the loopback interface"],
    [{ listen: ["127.evil.example:8200"] }, "is not on the loopback interface"],
    [{ listen: ["127.0.0.1"] }, "is not of the form host:port"],
    [{ listen: ["127.0.0.1:65536"] }, "is not of the form host:port"],
    [{ listen: ["http://127.0.0.1:8200"] }, "is not of the form host:port"],
    [{ listen: ["127.0.0.1:1"], tlsCertFile: "/c" }, "are only of use together"],
    [{ listen: ["127.0.0.1:1"], tlsClientCaFile: "/c" }, "needs -tls-cert-file"],
    [{ listen: ["127.0.0.1:1"], ...TLS, tlsDisable: true }, "cannot be used together"],
    [TLS, "is for -listen, which is missing"],
    [{ noListen: true, listen: ["127.0.0.1:1"] }, "cannot be used together"],
    [{ socketGroup: "deploy" }, "needs -socket"],
  ])("%j is refused", (options, text) => {
    expect(() => planListeners(options, STORE)).toThrow(text);
  });

  test("an IPv6 address is parsed without its brackets", () => {
    expect(parseAddress("[fe80::1]:8200")).toEqual({ host: "fe80::1", port: 8200 });
  });
});

describe("sockets of the service manager", () => {
  test.each([
    [{ LISTEN_PID: "7", LISTEN_FDS: "2" }, [3, 4]],
    [{ LISTEN_PID: "8", LISTEN_FDS: "2" }, []],
    [{ LISTEN_PID: "7" }, []],
    [{ LISTEN_PID: "7", LISTEN_FDS: "-1" }, []],
    [{ LISTEN_PID: "7", LISTEN_FDS: "1000000" }, []],
    [{}, []],
  ])("%j gives %j", (env, descriptors) => {
    expect(inheritedSockets(env, 7)).toEqual(descriptors);
  });
});
