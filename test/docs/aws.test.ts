import { describePages } from "./examples.ts";
import { AWS_PAGE } from "./pages/aws.ts";

describePages([AWS_PAGE]);
