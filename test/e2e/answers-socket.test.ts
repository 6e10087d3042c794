import { answersOver } from "./answers.ts";

answersOver("socket");
