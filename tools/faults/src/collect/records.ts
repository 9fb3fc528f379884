import { createHash } from 'node:crypto';
import { decodeEvent, isType, Topics, type CloudEvent, type Sealed } from '@centralita/contracts';
import type { LogRecord } from '@centralita/testing-kit';
import { factOf } from '@centralita/tool-simulator';
import type { Facts } from '@centralita/tool-start';
import canonicalize from 'canonicalize';

const digest = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');

/** A signed body that is no envelope, or for a number that nobody has registered: kept whole, so that no item can be named in it. */
export const BODY = 'body ';

const factIn = (event: CloudEvent, value: unknown): string | null => {
  if (!event.type.startsWith('whatsapp.')) return null;
  if (isType(event, 'whatsapp.unknown.received.v1') && !['unknown_field', 'unknown_item'].includes(event.data.reason))
    return `${BODY}${event.data.sha256}`;
  return value === undefined ? null : factOf((value as { item: unknown }).item);
};

/** Every record of every topic as the checker wants it, with its envelope opened to see whether it can be, and what it holds. */
export const collectRecords = async (facts: Facts): Promise<LogRecord[]> => {
  const opened = await openAll(facts);
  return Topics.flatMap((topic) =>
    (facts.records.get(topic) ?? []).flatMap((stored): LogRecord[] => {
      const decoded = decodeEvent(stored.value);
      if (!('event' in decoded)) return [];
      const { event } = decoded;
      const sealed = sealedOf(event);
      const value = sealed ? opened.get(sealed.id) : undefined;
      const bsuid =
        topic === 'wa.inbound.v1' && isType(event, 'whatsapp.message.received.v1') && !event.data.group ? bsuidOf(value) : null;
      return [
        {
          topic,
          partition: stored.partition,
          offset: Number(stored.offset),
          tenant: event.tenantid,
          key: stored.key?.toString('utf8') ?? '-',
          id: event.id,
          type: event.type,
          content: digest({ type: event.type, subject: event.subject, data: event.data }),
          keyVersion: event.keyversion === undefined ? null : Number(event.keyversion),
          stream: event.streamversion === undefined ? null : event.subject,
          streamVersion: event.streamversion === undefined ? null : Number(event.streamversion),
          cause: event.cause ? { ...event.cause, offset: Number(event.cause.offset) } : null,
          fact: topic === 'wa.inbound.v1' ? factIn(event, value) : null,
          identity: bsuid === null ? null : (facts.references.get(event.tenantid)?.participantRef(bsuid) ?? null),
          subject: sealed?.subject ?? null,
          recordedAt: Date.parse(event.recordedtime),
          readable: sealed ? value !== undefined : null,
        },
      ];
    }),
  );
};

export const sealedOf = (event: CloudEvent): Sealed | null => (event.data as { sealed?: Sealed | null } | null)?.sealed ?? null;

/** The identity that outlives a change of number: of the sender, as the provider names it. */
const bsuidOf = (value: unknown): string | null => {
  const { item } = value as { item: { from_user_id?: unknown } };
  return typeof item.from_user_id === 'string' ? item.from_user_id : null;
};

/** The contents of each envelope by its id; what cannot be opened is missing. */
const openAll = async (facts: Facts): Promise<Map<string, unknown>> => {
  const byTenant = new Map<string, Map<string, Sealed>>();
  for (const topic of Topics)
    for (const { event } of facts.all(topic)) {
      const sealed = sealedOf(event);
      if (!sealed) continue;
      const ofTenant = byTenant.get(event.tenantid) ?? new Map<string, Sealed>();
      byTenant.set(event.tenantid, ofTenant.set(sealed.id, sealed));
    }
  const opened = new Map<string, unknown>();
  for (const [tenantId, envelopes] of byTenant) {
    const keys = await facts.keyring.sealer(tenantId, [...new Set([...envelopes.values()].map(({ subject }) => subject))]);
    for (const [id, sealed] of envelopes) {
      const result = keys.open(sealed);
      if (result.state === 'open') opened.set(id, result.value);
    }
  }
  return opened;
};
