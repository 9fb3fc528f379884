import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

const [WIDTH, HEIGHT] = [320, 200];
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A chunk of a PNG file: length, type, contents, checksum over the last two. */
const chunk = (type: string, contents: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), contents]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(contents.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
};

/** A photograph by nobody: sky above, sea below, in colours that follow from the seed. The same seed gives the same bytes. */
export const picture = (seed: string): Buffer => {
  const dice = createHash('sha256').update(seed).digest();
  const tone = (index: number): number => dice[index] ?? 0;
  const horizon = Math.floor(HEIGHT * (0.35 + tone(0) / 850));
  const rows = Array.from({ length: HEIGHT }, (_, y) => {
    const sky = y < horizon;
    const share = sky ? y / horizon : (y - horizon) / (HEIGHT - horizon);
    const colour = sky
      ? [120 + tone(1) * 0.2 + share * 90, 170 + share * 60, 230 - tone(2) * 0.1]
      : [20 + tone(3) * 0.1, 110 - share * 60, 150 - share * 70 + tone(4) * 0.1];
    const pixel = colour.map((value) => Math.min(255, Math.round(value)));
    // Filter type 0: the bytes of the row as they are.
    return Buffer.from([0, ...Array.from({ length: WIDTH }, () => pixel).flat()]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  // Eight bits a channel, red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};
