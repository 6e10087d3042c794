import { refusalsOver } from "./refusals.ts";

refusalsOver("tls");
