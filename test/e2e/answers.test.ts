import { answersOver } from "./answers.ts";

answersOver("process");
