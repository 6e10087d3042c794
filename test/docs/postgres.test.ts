import { describePages } from "./examples.ts";
import { POSTGRES_PAGES } from "./pages/postgres-pages.ts";

describePages(POSTGRES_PAGES);
