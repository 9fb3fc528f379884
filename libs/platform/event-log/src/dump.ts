import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { byPlace, LeafCollector, recordLeaf, type PartitionLeaves } from './digest.js';
import { partitionKey, type EventLog, type OffsetRange, type StoredRecord } from './port.js';

/*
 * A log as a file: NDJSON, one record a line, partition after partition in offset order, byte strings in base64, with the leaf
 * hash of the record (hexadecimal). Equal ranges give equal files. It needs no Kafka to be replayed or verified.
 */

const base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not canonical base64');

const Line = z.strictObject({
  topic: z.string().min(1).max(249),
  partition: z.number().int().nonnegative(),
  offset: z.string().regex(/^(0|[1-9]\d{0,18})$/),
  timestamp: z.string().regex(/^(-1|0|[1-9]\d{0,18})$/),
  key: base64.nullable(),
  value: base64.nullable(),
  headers: z.record(z.string(), base64),
  leaf: z.string().regex(/^[0-9a-f]{64}$/),
});

const sortedHeaders = (headers: StoredRecord['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => [name, bytes.toString('base64')]),
  );

/** One line of a dump, without its line feed. */
export const dumpLine = (record: StoredRecord): string =>
  JSON.stringify({
    topic: record.topic,
    partition: record.partition,
    offset: record.offset.toString(),
    timestamp: record.timestamp.toString(),
    key: record.key?.toString('base64') ?? null,
    value: record.value?.toString('base64') ?? null,
    headers: sortedHeaders(record.headers),
    leaf: recordLeaf(record).toString('hex'),
  } satisfies z.input<typeof Line>);

/** Writes ranges of the log, each call of `write` with whole lines. Gives the number of records. */
export const dumpLog = async (
  log: Pick<EventLog, 'read'>,
  ranges: readonly OffsetRange[],
  write: (lines: string) => Promise<void>,
): Promise<number> => {
  let count = 0;
  // One partition after the other: read() interleaves them as they come.
  for (const range of [...ranges].sort(byPlace))
    await log.read([range], async (records) => {
      count += records.length;
      await write(records.map((record) => `${dumpLine(record)}\n`).join(''));
    });
  return count;
};

export type DumpedRecord = {
  /** Counted from 1. */
  readonly line: number;
  readonly record: StoredRecord;
  /** Leaf hash of the bytes that stand in the line. */
  readonly leaf: Buffer;
  /** False when the line names another hash than its own bytes give: somebody changed it. */
  readonly intact: boolean;
};

const parse = (text: string, line: number): DumpedRecord => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PlatformError('RECORD_INVALID', `line ${line} is not JSON`, { line });
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.') || issue.code);
    throw new PlatformError('RECORD_INVALID', `line ${line} is not a record: ${fields.join(', ')}`, { line, fields });
  }
  const { topic, partition, offset, timestamp, key, value, headers, leaf: claimed } = parsed.data;
  const record: StoredRecord = {
    topic,
    partition,
    offset: BigInt(offset),
    timestamp: BigInt(timestamp),
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: value === null ? null : Buffer.from(value, 'base64'),
    headers: Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, Buffer.from(bytes, 'base64')])),
  };
  const leaf = recordLeaf(record);
  return { line, record, leaf, intact: leaf.toString('hex') === claimed };
};

/** Reads a dump line by line (`createInterface({ input })` of node:readline gives lines). Throws RECORD_INVALID, naming the line. */
export async function* loadDump(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<DumpedRecord> {
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text !== '') yield parse(text, line);
  }
}

export type DumpFinding = {
  readonly line: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** `changed`: bytes and hash differ. `out_of_place`: the offset does not follow the one before it in its partition. */
  readonly problem: 'changed' | 'out_of_place';
};

export type DumpVerdict = {
  readonly records: number;
  readonly findings: readonly DumpFinding[];
  /** Leaves for the trees whose roots a manifest holds; a partition ends where its first record is out of place. */
  readonly leaves: readonly PartitionLeaves[];
};

/**
 * Checks a dump against itself and gives its leaves. A forger can recompute the hashes of a line: only the comparison of the roots
 * over `leaves` with roots from elsewhere (a manifest, a signed checkpoint) shows that nothing was replaced.
 */
export const verifyDump = async (lines: AsyncIterable<string> | Iterable<string>): Promise<DumpVerdict> => {
  const collector = new LeafCollector();
  const findings: DumpFinding[] = [];
  const next = new Map<string, bigint>();
  const broken = new Set<string>();
  let records = 0;
  for await (const { line, record, leaf, intact } of loadDump(lines)) {
    records++;
    const { topic, partition, offset } = record;
    const place = partitionKey(topic, partition);
    const expected = next.get(place) ?? offset;
    if (!intact) findings.push({ line, topic, partition, offset, problem: 'changed' });
    if (offset !== expected) {
      findings.push({ line, topic, partition, offset, problem: 'out_of_place' });
      broken.add(place);
    }
    // After a hole the next record is expected behind it: one hole, one finding.
    next.set(place, offset < expected ? expected : offset + 1n);
    if (!broken.has(place)) collector.add(record, leaf);
  }
  return { records, findings, leaves: collector.leaves() };
};
