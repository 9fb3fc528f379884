import { CloudEvent, decodeEvent, Uuid, type ErrorCode, type Upcaster } from '@centralita/contracts';
import type { ConsumedEvent, StoredRecord } from '@centralita/event-log';
import { PLATFORM_TENANT } from '../lane.js';

/** A record as the inbox sees it: an event to apply, one that the handler does not need, or a reason to park. */
export type Incoming = {
  readonly record: StoredRecord;
  /** Text of the record key, empty without one. */
  readonly key: string;
  /** The nil UUID when the record does not say. */
  readonly tenantId: string;
  readonly eventId: string | null;
} & (
  | { readonly kind: 'event' | 'ignored'; readonly consumed: ConsumedEvent }
  | { readonly kind: 'poison'; readonly code: ErrorCode; readonly keyVersion: bigint | null }
);
export type Readable = Extract<Incoming, { kind: 'event' | 'ignored' }>;

export type UpcasterOf = (type: string) => Upcaster | undefined;

const envelopeOf = (value: Buffer | null): CloudEvent | null => {
  try {
    const parsed = CloudEvent.safeParse(JSON.parse((value ?? Buffer.alloc(0)).toString('utf8')));
    return parsed.success ? { ...parsed.data, data: parsed.data.data } : null;
  } catch {
    return null;
  }
};

/** Never throws: what cannot be read is poison, unless its envelope says that this handler does not need it. */
export const readIncoming = (record: StoredRecord, ignored: ReadonlySet<string>, upcast?: UpcasterOf): Incoming => {
  const key = record.key?.toString('utf8') ?? '';
  const decoded = decodeEvent(record.value, upcast);
  const event = 'event' in decoded ? decoded.event : envelopeOf(record.value);
  const seen = { record, key, tenantId: event?.tenantid ?? PLATFORM_TENANT, eventId: event?.id ?? null };
  const poison = (code: ErrorCode): Incoming => ({
    ...seen,
    kind: 'poison',
    code,
    keyVersion: event?.keyversion === undefined ? null : BigInt(event.keyversion),
  });
  if (event === null) return poison('RECORD_INVALID');
  // key_version counts per key, and keys of stored events are UUIDs: without one the watermark means nothing.
  if (event.keyversion !== undefined && !Uuid.safeParse(key).success) return poison('RECORD_INVALID');
  const isIgnored = ignored.has(event.type);
  if (!isIgnored && 'problem' in decoded) return poison(decoded.problem === 'unknown_type' ? 'EVENT_UNKNOWN' : 'RECORD_INVALID');
  const consumed = { event, topic: record.topic, partition: record.partition, offset: record.offset, key };
  return { ...seen, kind: isIgnored ? 'ignored' : 'event', consumed };
};

/** Grouped by tenant, tenants in order so that two batches lock in the same order; offsets in order within a tenant. */
export const byTenant = <T extends { readonly tenantId: string }>(items: readonly T[]): [string, T[]][] => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.tenantId);
    if (group) group.push(item);
    else groups.set(item.tenantId, [item]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
};
