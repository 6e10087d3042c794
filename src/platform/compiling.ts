/**
 * The binary starts with thresholds for compiling to machine code that lie many times higher than usual (`jitPolicy` in
 * the build): what a short command runs, it runs so few times that compiling it costs more than it gives. Whoever runs on
 * calls this once, and the engine compiles as usual from then on.
 */
export function compileAsUsual(): void {
  Bun.unsafe.setJITPolicy(1);
}
