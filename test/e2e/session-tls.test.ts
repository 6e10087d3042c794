import { sessionOver } from "./session.ts";

sessionOver("tls", 18);
