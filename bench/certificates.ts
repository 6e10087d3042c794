/**
 * How many certificates the pki engine issues a second, by type of key: whole requests, policies and audit included, over a
 * store in memory. The yardstick, in turns with it, is what cannot be left out: making the key and signing once, with
 * node:crypto alone. Beside it stands the limit of the machine, by openssl's own measure.
 */
import { generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { CoreWorld, dataOf, errorOf } from "../test/core/world.ts";
import { BenchFailed, interleave, median } from "./measure.ts";
import { rsaKeyRate, signatureRate } from "./openssl-speed.ts";
import { type Figure, formatRate, type Ratio, type Row } from "./report.ts";

interface Kind {
  readonly type: "rsa" | "ec" | "ed25519";
  readonly bits: number;
  readonly label: string;
  /** As `openssl speed` calls it. */
  readonly algorithm: string;
  /** Certificates of a turn, so that it takes some tens of milliseconds. */
  readonly batch: number;
  readonly rounds: number;
}

const KINDS: readonly Kind[] = [
  { type: "ed25519", bits: 0, label: "Ed25519", algorithm: "ed25519", batch: 60, rounds: 20 },
  { type: "ec", bits: 256, label: "ECDSA P-256", algorithm: "ecdsap256", batch: 60, rounds: 20 },
  { type: "ec", bits: 384, label: "ECDSA P-384", algorithm: "ecdsap384", batch: 20, rounds: 20 },
  // How long an RSA key takes is a matter of luck: it takes many until the luck is even.
  { type: "rsa", bits: 2048, label: "RSA 2048", algorithm: "rsa2048", batch: 8, rounds: 40 },
];

/** About as much as a certificate's content. */
const CONTENT = Buffer.alloc(500, 7);

const make = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>;

export async function certificatesFigure(): Promise<Figure> {
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  for (const kind of KINDS) {
    const { issued, signed, plain } = await measure(kind);
    rows.push(
      { what: `${kind.label}: issued, with a key made for it`, value: formatRate(issued) },
      { what: `${kind.label}: signed, for a request`, value: formatRate(signed) },
      { what: `${kind.label}: keys made and used once by node:crypto`, value: formatRate(plain) },
    );
    ratios.push({ what: `${kind.label}: issued / made and used once`, value: issued / plain });
    const limit = limitOf(kind, signed);
    rows.push(...limit.rows);
    ratios.push(...limit.ratios);
  }
  return { title: "certificates: issued by the pki engine, in one process on one core", rows, ratios };
}

/** How many signatures, and RSA keys, openssl makes. */
function limitOf({ type, bits, label, algorithm }: Kind, signed: number): Pick<Figure, "rows" | "ratios"> {
  const signatures = signatureRate(algorithm);
  if (signatures === null) return { rows: [], ratios: [] };
  const keys = type === "rsa" ? rsaKeyRate(bits, RSA_KEYS) : null;
  return {
    rows: [
      { what: `${label}: signatures by openssl speed, the limit`, value: formatRate(signatures) },
      ...(keys === null ? [] : [{ what: `${label}: keys by openssl genpkey`, value: formatRate(keys) }]),
    ],
    ratios: [{ what: `${label}: signed / signatures by openssl`, value: signed / signatures }],
  };
}

const RSA_KEYS = 60;

async function measure({ type, bits, label, batch, rounds }: Kind) {
  const world = await CoreWorld.create();
  const must = async (path: string, body: Parameters<CoreWorld["put"]>[1]) => {
    const response = await world.put(path, body);
    if (response.status >= 300) throw new BenchFailed(`${path}: ${errorOf(response)}`);
    return dataOf(response);
  };
  await must("sys/mounts/pki", { type: "pki", config: { max_lease_ttl: "87600h" } });
  const key = { key_type: type, key_bits: bits };
  await must("pki/root/generate/internal", { common_name: "Root", ttl: "87600h", ...key });
  await must("pki/roles/r", { allow_any_name: true, ttl: "24h", ...key });
  const { csr } = await must("pki/intermediate/generate/internal", { common_name: "a.example.com", ...key });
  const issuer = await keyOf(type, bits);
  const repeat = async (work: () => Promise<unknown>): Promise<void> => {
    for (let left = batch; left > 0; left -= 1) await work();
  };
  const candidates = [
    { label, work: () => must("pki/issue/r", { common_name: "a.example.com" }) },
    { label, work: () => must("pki/sign/r", { csr: csr ?? "" }) },
    {
      label,
      work: async () => {
        await keyOf(type, bits);
        return sign(type === "ed25519" ? null : "sha256", CONTENT, issuer);
      },
    },
  ];
  const samples = await interleave(
    candidates.map((each) => ({ label: each.label, turn: () => ({ run: () => repeat(each.work) }) })),
    rounds,
  );
  const [issued = 0, signed = 0, plain = 0] = samples.map((sample) => (batch * 1000) / median(sample));
  return { issued, signed, plain };
}

async function keyOf(type: Kind["type"], bits: number): Promise<KeyObject> {
  const curves: Readonly<Record<number, string>> = { 256: "prime256v1", 384: "secp384r1" };
  const options = type === "rsa" ? { modulusLength: bits } : { namedCurve: curves[bits] };
  return (await make(type, options)).privateKey;
}
