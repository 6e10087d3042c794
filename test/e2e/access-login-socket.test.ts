import { accessLoginOver } from "./access-login.ts";

accessLoginOver("socket");
