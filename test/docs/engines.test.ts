import { describePages } from "./examples.ts";
import { ENGINE_PAGES } from "./pages/engines.ts";

describePages(ENGINE_PAGES);
