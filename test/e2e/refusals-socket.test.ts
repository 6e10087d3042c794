import { refusalsOver } from "./refusals.ts";

refusalsOver("socket");
