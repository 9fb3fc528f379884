import { isPlatformError, PlatformError } from '@centralita/contracts';

/** What a driver does with an error of `onBatch` or `startAt`. */
export type Verdict = 'retry' | 'crash';

/** Only a PlatformError that says so passes by itself; whatever is unknown must be seen, so it ends the subscription. */
export const verdictOf = (error: unknown): Verdict => (isPlatformError(error) && error.retryable ? 'retry' : 'crash');

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Exponential from `first` to `most` milliseconds. */
export const backoffMs = (attempt: number, first = 100, most = 10_000): number => Math.min(first * 2 ** attempt, most);

/** Records are there at `from` only when beginning <= from <= end: everything else is a lost or foreign log, never a reset. */
export const requireWithin = (
  where: { topic: string; partition: number },
  offset: bigint,
  beginning: bigint | undefined,
  end: bigint | undefined,
): void => {
  if (beginning === undefined || end === undefined) throw topicUnknown(where.topic, where.partition);
  if (offset < beginning || offset > end)
    throw new PlatformError('OFFSET_OUT_OF_RANGE', `offset ${offset} of ${where.topic}:${where.partition} is not on the log`, {
      topic: where.topic,
      partition: where.partition,
      offset: offset.toString(),
      beginning: beginning.toString(),
      end: end.toString(),
    });
};

export const topicUnknown = (topic: string, partition?: number): PlatformError =>
  new PlatformError(
    'TOPIC_UNKNOWN',
    partition === undefined ? `topic ${topic} does not exist` : `topic ${topic} has no partition ${partition}`,
    { topic, ...(partition !== undefined && { partition }) },
  );

/** Upper bound of what a record adds to a batch on the wire, beside its key, value and headers. */
const RECORD_OVERHEAD = 64;

export const sizeOf = (record: {
  key: string | null;
  value: Buffer | null;
  headers?: Readonly<Record<string, string>>;
}): number => {
  let size = RECORD_OVERHEAD + (record.key === null ? 0 : Buffer.byteLength(record.key)) + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers ?? {})) size += name.length + Buffer.byteLength(value) + 10;
  return size;
};

export const recordTooLarge = (topic: string, bytes: number, limit: number): PlatformError =>
  new PlatformError('RECORD_TOO_LARGE', `a record of ${bytes} bytes does not fit topic ${topic}`, { topic, bytes, limit });
