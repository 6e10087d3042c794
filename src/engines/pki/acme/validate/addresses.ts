import { isIP } from "node:net";
import { isAddressIn } from "../../../../base/cidr.ts";
import { messageOf } from "../../../../base/errors.ts";
import { AcmeProblem } from "../problem.ts";

/*
 * Validation connects to where a client says, which makes this process its errand boy. What limits that: the ports are fixed,
 * a request's content is ours, what comes back is never shown, and the addresses below are never connected to. Private
 * networks are not among them: an authority of one's own is for just those.
 */

/** Link-local (where clouds keep their metadata service), multicast, broadcast and unspecified addresses. */
const NEVER = [
  "169.254.0.0/16",
  "fe80::/10",
  "224.0.0.0/4",
  "ff00::/8",
  "0.0.0.0/8",
  "::/128",
  "255.255.255.255/32",
];
const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const QUERY_MS = 3000;
const QUERY_TRIES = 2;
const ADDRESSES_MAX = 8;

/** What the system, or the resolver that was configured, answers. */
export interface NameSource {
  /** `IP:port`; empty: the system's. */
  readonly resolver: string;
}

async function openResolver(resolver: string): Promise<import("node:dns").promises.Resolver> {
  const { promises } = await import("node:dns");
  const opened = new promises.Resolver({ timeout: QUERY_MS, tries: QUERY_TRIES });
  if (resolver !== "") opened.setServers([resolver]);
  return opened;
}

/**
 * The addresses of a host.
 * @param isRedirected - The host was named by an answer, not by the client: then this machine is not to be asked.
 * @throws AcmeProblem dns when it has none; connection when it has none that may be connected to.
 */
export async function addressesOf(
  host: string,
  { resolver }: NameSource,
  isRedirected: boolean,
): Promise<readonly string[]> {
  const found = isIP(host) === 0 ? await lookUp(host, resolver) : [host];
  const closed = isRedirected ? [...NEVER, ...LOOPBACK] : NEVER;
  const open = found.filter((address) => !isAddressIn(address, closed));
  if (open.length === 0)
    throw new AcmeProblem("connection", `${host} has no address that may be connected to`);
  return open.slice(0, ADDRESSES_MAX);
}

async function lookUp(host: string, resolver: string): Promise<readonly string[]> {
  if (resolver === "") {
    const { promises } = await import("node:dns");
    const found = await promises.lookup(host, { all: true }).catch((error: unknown) => {
      throw new AcmeProblem("dns", `no address of ${host}: ${messageOf(error)}`, { cause: error });
    });
    return found.map(({ address }) => address);
  }
  const opened = await openResolver(resolver);
  const answers = await Promise.allSettled([opened.resolve4(host), opened.resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  const [first] = answers;
  const reason = first.status === "rejected" ? messageOf(first.reason) : "there are none";
  throw new AcmeProblem("dns", `no address of ${host}: ${reason}`);
}

/** The TXT records of a name, each in one piece. @throws AcmeProblem dns. */
export async function textsOf(name: string, { resolver }: NameSource): Promise<readonly string[]> {
  const opened = await openResolver(resolver);
  try {
    return (await opened.resolveTxt(name)).map((parts) => parts.join(""));
  } catch (error) {
    throw new AcmeProblem("dns", `no TXT records of ${name}: ${messageOf(error)}`, { cause: error });
  }
}
