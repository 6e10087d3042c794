import { writeFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import lockfile from "../../package-lock.json" with { type: "json" };
import { commitSeconds, ROOT, runIn } from "./run.ts";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
}

interface Bom {
  serialNumber?: string;
  readonly metadata: { timestamp: string };
  components: readonly unknown[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * What the programs are made of, as CycloneDX: the packages that are bundled, by npm's own list, and the runtime.
 * @returns The file's path.
 */
export function makeSbom(version: string, output: string): string {
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
  const bom = withoutDevelopment(JSON.parse(runIn(ROOT, "npm", args)) as Bom);
  // A number and a time that differ with each run say nothing about what is inside.
  delete bom.serialNumber;
  bom.metadata.timestamp = new Date(Number(commitSeconds()) * 1000).toISOString();
  bom.components = [...bom.components, runtimeComponent()];
  const file = join(output, `vsec-${version}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
  return file;
}

/** npm's own `--omit=dev` also leaves out what a development dependency shares with the program. */
function withoutDevelopment(bom: Bom): Bom {
  const bundled = bundledPackages();
  const isBundled = ({ name, version }: Component): boolean => bundled.has(`${name}@${version}`);
  const components = (bom.components as readonly Component[]).filter(isBundled);
  const refs = new Set(components.map((component) => component["bom-ref"]));
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref) || ref.startsWith(`${manifest.name}@`))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) }));
  return { ...bom, components, dependencies };
}

/** What is installed for the program and not only for its development, as `name@version`. */
function bundledPackages(): ReadonlySet<string> {
  const locked = lockfile.packages as Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean }>
  >;
  const own = Object.entries(locked).filter(([path, { dev }]) => path !== "" && dev !== true);
  return new Set(own.map(([path, { version }]) => `${path.split("node_modules/").at(-1)}@${version}`));
}

/** For npm it is a development dependency; it is the larger part of each program. */
function runtimeComponent(): unknown {
  const version = manifest.devDependencies.bun;
  const { license } = lockfile.packages["node_modules/bun"];
  return {
    "bom-ref": `bun@${version}`,
    type: "framework",
    name: "bun",
    version,
    scope: "required",
    purl: `pkg:npm/bun@${version}`,
    licenses: [{ license: { id: license } }],
  };
}
