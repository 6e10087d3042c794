import { crc32, deflateSync } from "node:zlib";
import { badRequest } from "../../base/errors.ts";

/**
 * A QR code as a picture.
 * @param size - Its width and height in pixels.
 * @returns A PNG with one bit a pixel.
 * @throws ApiError 400 when the code does not fit.
 */
export async function barcode(text: string, size: number): Promise<Buffer> {
  const { encodeQR } = await import("qr");
  const modules = encodeQR(text, "raw", { ecc: "medium", border: 2 });
  const scale = Math.floor(size / modules.length);
  if (scale < 1) {
    throw badRequest(`the qr_size value must be at least ${modules.length}, or 0 for no barcode`);
  }
  const margin = Math.floor((size - modules.length * scale) / 2);
  const isDark = (x: number, y: number): boolean =>
    modules[Math.floor((y - margin) / scale)]?.[Math.floor((x - margin) / scale)] === true;
  return png(size, isDark);
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREYSCALE = 0;
const BIT_DEPTH = 1;

/** @see RFC 2083: one bit a pixel, 0 for black, each line without a filter. */
function png(size: number, isDark: (x: number, y: number) => boolean): Buffer {
  const lineBytes = 1 + Math.ceil(size / 8);
  const lines = Buffer.alloc(lineBytes * size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (isDark(x, y)) continue;
      const at = y * lineBytes + 1 + (x >> 3);
      lines[at] = (lines[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = BIT_DEPTH;
  header[9] = GREYSCALE;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
