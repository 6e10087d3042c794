import { describeKills } from "./kills.ts";
import { LEASE_OPERATIONS, placesOf, ROTATE, SETTLE } from "./operations.ts";

describeKills(18, LEASE_OPERATIONS.flatMap(placesOf), [ROTATE, SETTLE].flatMap(placesOf));
