import { refusalsOver } from "./refusals.ts";

refusalsOver("process");
