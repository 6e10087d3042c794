import { describeKills } from "./kills.ts";
import { LEASE_OPERATIONS, type Place, placesOf, ROTATE, ROTATE_ROOT_DUE, SETTLE } from "./operations.ts";
import { ADOPT, ROTATE_ROLE, STATIC_OPERATIONS } from "./static-operations.ts";

/** What daemons take up differs from what commands do in how it begins; the store's own places are the same. */
const TAKEN_UP = STATIC_OPERATIONS.filter((operation) => operation !== ADOPT && operation !== ROTATE_ROLE);
const isBesideStore = ({ failpoint }: Place): boolean => !failpoint.startsWith("store:");

describeKills(18, LEASE_OPERATIONS.flatMap(placesOf), [ROTATE, SETTLE, ROTATE_ROOT_DUE].flatMap(placesOf), [
  ...[ADOPT, ROTATE_ROLE].flatMap(placesOf),
  ...TAKEN_UP.flatMap(placesOf).filter(isBesideStore),
]);
