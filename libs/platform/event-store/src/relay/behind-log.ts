import { PlatformError, type Service, type Topic } from '@centralita/contracts';
import type { EventLog, StoredRecord } from '@centralita/event-log';
import { sourceOf } from '../event-data.js';
import type { RelaySession } from './relay-session.js';

type Published = { readonly tenantid: string; readonly id: string; readonly keyversion: string };

const published = (record: StoredRecord, source: string): Published | null => {
  try {
    const event = JSON.parse((record.value ?? Buffer.alloc(0)).toString('utf8')) as Partial<Published> & { source?: string };
    // Records without key_version were produced directly and never stood in this store.
    if (event.source !== source || event.keyversion === undefined || event.id === undefined || event.tenantid === undefined)
      return null;
    return { tenantid: event.tenantid, id: event.id, keyversion: event.keyversion };
  } catch {
    return null;
  }
};

const AT_ONCE = 4;

/**
 * Before a relay sends anything on a connection: the last record of this service in each partition must be an event of its table,
 * with the same version. If not, the database was restored or failed over to a state behind the log, and every version that it gives
 * from now on may have been used. Throws STORE_BEHIND_LOG.
 */
export const requireStoreHoldsLog = async (
  session: RelaySession,
  log: EventLog,
  service: Service,
  topics: readonly Topic[],
  lookBack: number,
): Promise<void> => {
  const source = sourceOf(service);
  const partitions: { topic: Topic; partition: number }[] = [];
  for (const topic of topics)
    for (const [partition, end] of await log.admin.endOffsets(topic)) if (end > 0n) partitions.push({ topic, partition });

  const found: (Published & { topic: Topic; partition: number; key: string | null })[] = [];
  const look = async (): Promise<void> => {
    for (let next = partitions.pop(); next !== undefined; next = partitions.pop()) {
      const { topic, partition } = next;
      const record = await log.lastRecord(topic, partition, (candidate) => published(candidate, source) !== null, lookBack);
      const event = record && published(record, source);
      if (event) found.push({ ...event, topic, partition, key: record.key?.toString('utf8') ?? null });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));

  const known = await session.query<{ id: string }>(
    `select e.event_id as id from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[]) as u(tenant, topic, key, version, id)
     join events e on e.tenant_id = u.tenant and e.topic = u.topic and e.key = u.key and e.key_version = u.version and e.event_id = u.id`,
    [
      found.map(({ tenantid }) => tenantid),
      found.map(({ topic }) => topic),
      found.map(({ key }) => key),
      found.map(({ keyversion }) => keyversion),
      found.map(({ id }) => id),
    ],
  );
  const ids = new Set(known.map(({ id }) => id));
  const missing = found.filter(({ id }) => !ids.has(id)).map(({ topic, partition, id }) => ({ topic, partition, eventId: id }));
  if (missing.length > 0)
    throw new PlatformError('STORE_BEHIND_LOG', 'the log holds events of this service that its database does not', { missing });
};
