/** A kind of machine that vsec is built for. */
export interface Target {
  /** As our files and packages are named: `linux-arm64`. */
  readonly name: string;
  /** The compiler's name for it. */
  readonly compiler: string;
  /** The package that has its Bun, which becomes the larger part of the binary. */
  readonly runtime: string;
  /** The program's file name there. */
  readonly program: "vsec" | "vsec.exe";
  /** As npm's manifests have it. */
  readonly os: "linux" | "darwin" | "win32";
  readonly cpu: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
  /** Debian's name for it, where there is a package for Debian. */
  readonly debian?: "amd64" | "arm64";
}

export const TARGETS: readonly Target[] = [
  { ...linux("x64", "glibc"), debian: "amd64" },
  { ...linux("arm64", "glibc"), debian: "arm64" },
  linux("x64", "musl"),
  linux("arm64", "musl"),
  darwin("x64"),
  darwin("arm64"),
  {
    name: "win32-x64",
    compiler: "bun-windows-x64",
    runtime: "@oven/bun-windows-x64",
    program: "vsec.exe",
    os: "win32",
    cpu: "x64",
  },
];

function linux(cpu: Target["cpu"], libc: "glibc" | "musl"): Target {
  const suffix = libc === "musl" ? "-musl" : "";
  return {
    name: `linux-${cpu}${suffix}`,
    compiler: `bun-linux-${cpu}${suffix}`,
    runtime: `@oven/bun-linux-${cpu === "arm64" ? "aarch64" : cpu}${suffix}`,
    program: "vsec",
    os: "linux",
    cpu,
    libc,
  };
}

function darwin(cpu: Target["cpu"]): Target {
  return {
    name: `darwin-${cpu}`,
    compiler: `bun-darwin-${cpu}`,
    runtime: `@oven/bun-darwin-${cpu === "arm64" ? "aarch64" : cpu}`,
    program: "vsec",
    os: "darwin",
    cpu,
  };
}
