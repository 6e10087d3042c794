import { sessionOver } from "./session.ts";

sessionOver("process", 18);
sessionOver("process", 15);
