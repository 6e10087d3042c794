import { parseCidr } from "../../base/cidr.ts";
import { badRequest } from "../../base/errors.ts";

const BLOCKS_MAX = 1000;

/** Brings a list of blocks into its stored form. A bare address is a block of one. @throws ApiError 400 naming the first that is none. */
export function readCidrs(texts: readonly string[]): readonly string[] {
  if (texts.length > BLOCKS_MAX) throw badRequest(`more than ${BLOCKS_MAX} bound CIDRs`);
  const blocks = texts.map((text) => text.trim()).filter((text) => text !== "");
  for (const text of blocks) {
    if (parseCidr(text) === null) throw badRequest(`error parsing address ${JSON.stringify(text)}`);
  }
  return blocks;
}
