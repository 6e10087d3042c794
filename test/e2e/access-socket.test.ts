import { accessOver } from "./access.ts";

accessOver("socket");
