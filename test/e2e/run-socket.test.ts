import { describeRun } from "./run.ts";

describeRun("socket");
