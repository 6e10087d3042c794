import { versionLine } from "../../../contract/version.ts";
import { defineCommand } from "../../command.ts";
import { answer } from "../../outcome.ts";

export const command = defineCommand({
  usage: "",
  description: "Prints the version of vsec, the revision it was built from, and when.",
  flags: {},
  output: {},
  requests: false,
  ignoresArguments: true,
  run: () => Promise.resolve(answer({ show: "line", text: versionLine(), when: "always" })),
});
