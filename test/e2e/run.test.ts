import { describeRun } from "./run.ts";

describeRun("process");
