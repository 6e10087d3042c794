import { describePages } from "./examples.ts";
import { SERVICE_PAGES } from "./pages/services.ts";

describePages(SERVICE_PAGES);
