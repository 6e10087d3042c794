import { answersOver } from "./answers.ts";

answersOver("tls");
