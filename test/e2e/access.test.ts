import { accessOver } from "./access.ts";

accessOver("process");
