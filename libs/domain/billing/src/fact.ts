import { decodeData, decodeEnvelope, isType, type EventType } from '@centralita/contracts';
import type { StatusFact } from './ledger.js';
import type { RateCard } from './rate-card.js';

/** What one record of the log means to the fold. A tenant is known to the fold by any of its events. */
export type LedgerFact = { readonly tenantId: string; readonly status?: StatusFact; readonly card?: RateCard };

const foldedTypes: ReadonlySet<string> = new Set<EventType>(['whatsapp.status.changed.v1', 'rate.card.published.v1']);

/**
 * Reads a record for a replay; null when it is no event at all. Data of other types stays unread, and data that breaks its schema
 * means nothing: the service parks such a record.
 */
export const readFact = (record: { readonly key: Buffer | null; readonly value: Buffer | null }): LedgerFact | null => {
  const read = decodeEnvelope(record.value);
  if (!('event' in read)) return null;
  const { tenantid: tenantId } = read.event;
  if (!foldedTypes.has(read.event.type)) return { tenantId };
  const decoded = decodeData(read.event);
  if (!('event' in decoded)) return { tenantId };
  const { event } = decoded;
  if (isType(event, 'rate.card.published.v1')) return { tenantId, card: event.data };
  if (!isType(event, 'whatsapp.status.changed.v1')) return { tenantId };
  const subjectKey = record.key?.toString('utf8') ?? '';
  return { tenantId, status: { eventId: event.id, subjectKey, recordedTime: event.recordedtime, data: event.data } };
};
