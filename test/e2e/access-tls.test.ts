import { accessOver } from "./access.ts";

accessOver("tls");
