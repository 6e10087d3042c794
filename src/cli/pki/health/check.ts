import type { Finding } from "./finding.ts";
import type { MountView } from "./mount-view.ts";
import type { Settings, SettingsReader } from "./settings.ts";

/** One check of a mount. */
export interface HealthCheck {
  readonly name: string;
  /** With `enabled`. */
  readonly defaults: Settings;
  run(view: MountView, settings: SettingsReader): Promise<readonly Finding[]>;
}
