import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { dumpLine, loadDump, type DumpedRecord, type StoredRecord } from '@centralita/event-log';
import { PlatformError } from '@centralita/contracts';
import { digestOf } from './manifest.js';

/*
 * A segment is a dump of one range of one partition (see dump.ts of event-log: exact bytes of key, value and headers in base64, timestamp
 * and leaf hash, a line a record), compressed with gzip: `zcat` shows it, and `centralita replay` reads what `zcat` gives.
 */

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** What a segment may hold before it is sealed; one record may pass it. Memory of a run is a few times the bytes. */
export type SegmentLimits = { readonly bytes: number; readonly records: number };
export const SEGMENT_LIMITS: SegmentLimits = { bytes: 8 * 1024 * 1024, records: 50_000 };
/** Longest segment that is unpacked: the limit and the longest record of a topic, several times over. */
const MOST_BYTES = 64 * 1024 * 1024;

export type Packed = { readonly object: Buffer; readonly sha256: string };

/** Lines that are gathered for one segment. */
export class SegmentLines {
  #lines: string[] = [];
  #bytes = 0;

  constructor(private readonly limits: SegmentLimits) {}

  add(record: StoredRecord): void {
    const line = `${dumpLine(record)}\n`;
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  get records(): number {
    return this.#lines.length;
  }

  get full(): boolean {
    return this.#bytes >= this.limits.bytes || this.#lines.length >= this.limits.records;
  }

  /** The segment, and nothing is held any more. */
  async seal(): Promise<Packed> {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#bytes = 0;
    const object = await compress(text, { level: 6 });
    return { object, sha256: digestOf(object) };
  }
}

/** Records of a segment. Throws RECORD_INVALID when its bytes are no segment. */
export async function* recordsOf(key: string, object: Buffer): AsyncGenerator<DumpedRecord> {
  const text = await decompress(object, { maxOutputLength: MOST_BYTES }).catch((cause: unknown) => {
    throw new PlatformError('RECORD_INVALID', `segment ${key} cannot be unpacked`, { key }, { cause });
  });
  yield* loadDump(linesOf(text));
}

function* linesOf(text: Buffer): Generator<string> {
  for (let from = 0; from < text.length;) {
    const end = text.indexOf(0x0a, from);
    const to = end === -1 ? text.length : end;
    yield text.toString('utf8', from, to);
    from = to + 1;
  }
}
