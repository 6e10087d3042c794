import { test } from "bun:test";
import { storageContract } from "./contract.ts";
import { checkAgainstModel } from "./model.ts";
import { openFresh } from "./places.ts";

storageContract("sqlite", openFresh);

test(
  "the SQLite store answers random commands as the model does",
  () => checkAgainstModel(openFresh),
  120_000,
);
