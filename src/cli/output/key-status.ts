import type { JsonObject } from "../../base/json.ts";
import type { Outcome } from "../outcome.ts";
import { plainValue } from "./plain-values.ts";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The current encryption key, in two columns without a header. */
export function keyStatusOutcome(data: JsonObject): Outcome {
  const text = (key: string): string => plainValue(data[key] ?? null);
  return {
    show: "table",
    rows: [
      ["Key Term", text("term")],
      ["Install Time", rfc822(text("install_time"))],
      ["Encryption Count", text("encryptions")],
    ],
    data: {
      term: data.term ?? null,
      install_time: data.install_time ?? null,
      encryptions: data.encryptions ?? null,
    },
  };
}

/** An RFC 3339 time as Go's RFC 822 layout in UTC: `02 Jan 06 15:04 UTC`. */
function rfc822(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(time.getUTCDate())} ${MONTHS[time.getUTCMonth()]} ${two(time.getUTCFullYear() % 100)}`;
  return `${day} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())} UTC`;
}
