/** The pages about the daemon, about whom it binds, and about programs that it starts. */

import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readAnswer, readRevoked } from "../../../src/engines/database/plugins/exec/protocol.ts";
import { ROOT } from "../../binary/built.ts";
import { freePort } from "../../servers/process.ts";
import type { PageExamples } from "../examples.ts";
import type { Place } from "../place.ts";
import { programMissing } from "../programs.ts";
import { inOwnSystem, ownSystemMissing } from "../system.ts";
import { answers, initStore } from "./stores.ts";

const DAEMON = "127.0.0.1:8200";

const NO_MANAGER = "needs systemd as the first process; what its unit says is started in its place";

/** The settings of a unit by their names; where one is given more than once, the last. */
const settingsOf = (unit: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));

/** A system on which the service can be installed. */
async function prepareDaemon(at: Place): Promise<void> {
  at.replaced.set(DAEMON, `127.0.0.1:${await freePort()}`);
  // Its meter would be among what is printed.
  at.replaced.set("curl ", "curl --silent ");
  at.replaced.set("dist/vsec", at.world.binary);
  at.replaced.set("packaging/systemd/", `${ROOT}/packaging/systemd/`);
  await initStore(at);
  if (serviceMissing !== undefined) return;
  inOwnSystem(at, { empty: ["/run", "/var/lib", "/home"], layered: ["/usr/bin"], users: ["ann"] });
}

/** Does what the service manager would: there is none in a system of the page's own. */
async function startService({ shell }: Place): Promise<void> {
  const [service, socket] = ["vsec.service", "vsec.socket"].map((name) =>
    readFileSync(join(ROOT, "packaging/systemd", name), "utf8"),
  );
  const { User, Group, Environment, StateDirectory, StateDirectoryMode, ExecStart } = settingsOf(
    service ?? "",
  );
  const { ListenStream, SocketUser, SocketGroup, SocketMode } = settingsOf(socket ?? "");
  for (const step of [
    `install -d -o ${User} -g ${Group} -m ${StateDirectoryMode} /var/lib/${StateDirectory}`,
    `install -d -o ${User} -g ${Group} ${dirname(ListenStream ?? "")}`,
    `setpriv --reuid=${User} --regid=${Group} --clear-groups env -i PATH=/usr/bin:/bin ${Environment} systemd-socket-activate -l ${ListenStream} ${ExecStart} 2>/run/daemon.log &`,
    `until [ -S ${ListenStream} ]; do sleep 0.05; done`,
    `chown ${SocketUser}:${SocketGroup} ${ListenStream} && chmod ${SocketMode} ${ListenStream}`,
  ])
    expect(await shell.run(step, "")).toEqual({ code: 0, printed: "" });
}

const serviceMissing =
  ownSystemMissing() ?? programMissing("systemd-sysusers") ?? programMissing("systemd-socket-activate");

const DAEMON_PAGE: PageExamples = {
  page: "docs/daemon.md",
  prepare: prepareDaemon,
  skip: {
    curl: programMissing("curl"),
    install: serviceMissing,
    "systemd-sysusers": serviceMissing,
    systemctl: NO_MANAGER,
    "VSEC_ADDR=unix": serviceMissing,
    usermod: serviceMissing,
  },
  after: {
    "vsec daemon -listen": (at) => answers(`http://${at.here(DAEMON)}`),
    "install -D -m 644 -t": startService,
    "usermod --append": async ({ shell }) => {
      const asks = "runuser --user ann -- env VSEC_ADDR=unix:///run/vsec/vsec.sock vsec status";
      expect((await shell.run(asks, "")).printed).toContain("Sealed          false");
    },
  },
};

const UNIT = "/etc/systemd/system/vsec.service";
const PLUGINS = "/usr/local/lib/vsec/plugins";

const EXEC_PAGE: PageExamples = {
  page: "docs/exec-plugin.md",
  prepare: async (at) => {
    at.replaced.set("docs/examples/htpasswd-plugin", join(ROOT, "docs/examples/htpasswd-plugin"));
    at.replaced.set(PLUGINS, at.at("plugins"));
    at.replaced.set("/etc/nginx/intranet.htpasswd", at.at("intranet.htpasswd"));
    at.shellHas({ VSEC_PLUGIN_DIRECTORY: at.at("plugins") });
    await initStore(at);
    await at.world.ok("secrets enable database");
  },
  figures: {
    '{"ok": true}': (_, text) => {
      const read = (output = "") => readAnswer({ code: 0, signal: null, output, complaint: "" });
      const [done, revoked, refused] = text.trim().split("\n");
      expect(read(done)).toEqual({ ok: true });
      expect(readRevoked(read(revoked), ["a", "b"])).toEqual([null, "b has a transaction open"]);
      expect(() => read(refused)).toThrow("no such group");
    },
  },
};

/** A machine with a user ann, and the program in its place. */
function prepareBoundary(at: Place): void {
  if (ownSystemMissing() !== undefined) return;
  inOwnSystem(at, {
    empty: ["/var/lib", "/run", "/home", "/usr/local/bin"],
    files: { "/usr/local/bin/vsec": at.world.binary },
    users: ["ann", "bob"],
  });
  at.shellHas({ PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", VSEC_STORE: "", HOME: "/root" });
  at.replaced.set("vsec status", "runuser --user ann -- vsec status");
}

/** Does what the service manager would: there is none in a system of the page's own. */
async function startUnit({ shell }: Place, unit: string): Promise<void> {
  if (programMissing("systemd-analyze") === undefined) {
    const { code, printed } = await shell.run(`systemd-analyze verify ${UNIT}`, "");
    // It may have something to say of others.
    expect({ code, printed }).toEqual({ code: 0, printed: expect.not.stringContaining("vsec.service") });
  }
  const settings = settingsOf(unit);
  const { User, SupplementaryGroups, Environment, RuntimeDirectory, RuntimeDirectoryMode, ExecStart } =
    settings;
  const identity = `--reuid=${User} --regid=${User} --groups=${User},${SupplementaryGroups}`;
  for (const step of [
    `install -d -o ${User} -g ${User} -m ${RuntimeDirectoryMode} /run/${RuntimeDirectory}`,
    `setpriv ${identity} env -i PATH=/usr/bin:/bin ${Environment} ${ExecStart} 2>/run/daemon.log &`,
    "until [ -S /run/vsec/vsec.sock ]; do sleep 0.05; done",
  ])
    expect(await shell.run(step, "")).toEqual({ code: 0, printed: "" });
}

const boundaryMissing = ownSystemMissing();

const THREATS: PageExamples = {
  page: "docs/threat-model.md",
  prepare: prepareBoundary,
  files: { [UNIT]: boundaryMissing ?? startUnit },
  skip: {
    useradd: boundaryMissing,
    groupadd: boundaryMissing,
    usermod: boundaryMissing,
    "cd /var": boundaryMissing,
    runuser: boundaryMissing,
    systemctl: NO_MANAGER,
    export: boundaryMissing,
    "vsec status": boundaryMissing,
  },
  after: {
    // Who is not in the group does not get as far as the daemon.
    "vsec status": async ({ shell }) => {
      expect((await shell.run("runuser --user bob -- vsec status", "")).code).not.toBe(0);
      expect((await shell.run("runuser --user ann -- cat /var/lib/vsec/.vsec-token", "")).code).not.toBe(0);
    },
  },
};

export const SERVICE_PAGES: readonly PageExamples[] = [DAEMON_PAGE, EXEC_PAGE, THREATS];
