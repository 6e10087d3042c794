import { accessLoginOver } from "./access-login.ts";

accessLoginOver("tls");
