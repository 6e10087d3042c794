import { describePages } from "./examples.ts";
import { ACCESS_PAGES } from "./pages/access.ts";

describePages(ACCESS_PAGES);
