import { describePages } from "./examples.ts";
import { DATABASES_PAGE } from "./pages/databases.ts";

describePages([DATABASES_PAGE]);
