import { sessionOver } from "./session.ts";

sessionOver("socket", 18);
