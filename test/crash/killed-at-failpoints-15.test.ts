import { describeKills } from "./kills.ts";
import { ISSUE, type Place, placesOf, REVOKE, ROTATE } from "./operations.ts";
import { ROTATE_ROLE } from "./static-operations.ts";

/** Only the places beside what happens in the database: the store's own do not know what is behind. */
const isBesideDatabase = ({ failpoint }: Place): boolean => !failpoint.startsWith("store:");

describeKills(
  15,
  [ISSUE, REVOKE].flatMap(placesOf).filter(isBesideDatabase),
  placesOf(ROTATE).filter(isBesideDatabase),
  placesOf(ROTATE_ROLE).filter(isBesideDatabase),
);
