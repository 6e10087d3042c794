import type { HealthCheck } from "./check.ts";
import type { Finding } from "./finding.ts";
import { certificateIn, type IssuerView, issuersIn, type MountView, unreadable } from "./mount-view.ts";

/** Whether the keys of roots lie in hardware. */
export const hardwareBackedRoot: HealthCheck = {
  name: "hardware_backed_root",
  defaults: { enabled: false },
  async run(view) {
    const { issuers, findings } = await issuersIn(view);
    const all: Finding[] = [...findings];
    for (const root of issuers.filter(({ isRoot }) => isRoot)) all.push(await keyOf(view, root));
    return all;
  },
};

async function keyOf(view: MountView, { id, endpoint }: IssuerView): Promise<Finding> {
  const issuer = await view.read(`issuer/${id}`);
  const problem = unreadable(issuer, endpoint, "issuer");
  if (issuer.kind !== "found") return problem as Finding;
  const keyId = String(issuer.data.key_id ?? "");
  if (keyId === "") return { status: "ok", endpoint, message: "The root's key is not on this mount." };
  return { status: "warning", endpoint, message: "The root's key is kept in software, not in hardware." };
}

/** Whether roots sign leaves themselves. */
export const rootIssuedLeaves: HealthCheck = {
  name: "root_issued_leaves",
  defaults: { enabled: true, certs_to_inspect: 100 },
  async run(view, settings) {
    const { issuers, findings } = await issuersIn(view);
    const roots = issuers.filter(({ isRoot }) => isRoot);
    if (roots.length === 0) {
      const endpoint = view.endpoint("issuers");
      return [...findings, { status: "not_applicable", endpoint, message: "The mount has no root." }];
    }
    const { fetched, keys } = await view.list("certs");
    if (fetched.kind === "denied" || fetched.kind === "unknown") {
      const problem = unreadable(fetched, view.endpoint("certs"), "list of certificates");
      return problem === null ? findings : [...findings, problem];
    }
    const inspected = keys.slice(0, settings.count("certs_to_inspect", 1, 100_000));
    const found: Finding[] = [...findings];
    for (const serial of inspected) {
      const finding = await leafOf(view, serial, roots);
      if (finding !== null) found.push(finding);
    }
    if (found.length > findings.length) return found;
    const message = `None of ${inspected.length} certificates that were looked at is a leaf of a root.`;
    return [...found, { status: "ok", endpoint: view.endpoint("certs"), message }];
  },
};

async function leafOf(
  view: MountView,
  serial: string,
  roots: readonly IssuerView[],
): Promise<Finding | null> {
  const path = `cert/${serial.replaceAll(":", "-")}`;
  const read = await view.read(path);
  const certificate = read.kind === "found" ? certificateIn(read.data.certificate) : null;
  if (certificate === null || certificate.ca) return null;
  const root = roots.find((one) => certificate.verify(one.certificate.publicKey));
  if (root === undefined) return null;
  const message = `The root ${root.id} has signed this leaf itself; let an intermediate do that.`;
  return { status: "warning", endpoint: view.endpoint(path), message };
}
