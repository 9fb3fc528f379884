import { describe, expect, it } from '@jest/globals';
import { PLATFORM_TENANT } from '../lane.js';
import { byTenant, readIncoming } from './incoming.js';
import type { StoredRecord } from '@centralita/event-log';

const [tenant, key, id] = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
];
const event = {
  specversion: '1.0',
  id,
  source: '/centralita/conversation',
  type: 'contact.identified.v1',
  time: '2026-01-01T00:00:00.000Z',
  subject: key,
  datacontenttype: 'application/json',
  dataschema: 'urn:centralita:schema:contact.identified.v1',
  tenantid: tenant,
  recordedtime: '2026-01-01T00:00:00.000Z',
  correlationid: id,
  causationid: null,
  keyversion: '4',
  data: { contactId: id, subjectId: key },
};
const record = (value: unknown, recordKey: string | null = key): StoredRecord => ({
  topic: 'conversation.events.v1',
  partition: 2,
  offset: 7n,
  key: recordKey === null ? null : Buffer.from(recordKey),
  value: typeof value === 'string' ? Buffer.from(value) : value === null ? null : Buffer.from(JSON.stringify(value)),
  headers: {},
  timestamp: 0n,
});
const read = (value: unknown, recordKey?: string | null, ignored: string[] = []): ReturnType<typeof readIncoming> =>
  readIncoming(record(value, recordKey), new Set(ignored));

describe(readIncoming.name, () => {
  it('reads an event', () => {
    expect(read(event)).toMatchObject({
      kind: 'event',
      key,
      tenantId: tenant,
      eventId: id,
      consumed: { offset: 7n, partition: 2, event },
    });
  });

  it.each([
    ['no value', null, { tenantId: PLATFORM_TENANT, eventId: null, code: 'RECORD_INVALID', keyVersion: null }],
    ['no JSON', '{', { tenantId: PLATFORM_TENANT, code: 'RECORD_INVALID' }],
    ['JSON of something else', { a: 1 }, { tenantId: PLATFORM_TENANT, code: 'RECORD_INVALID' }],
    ['an unknown type', { ...event, type: 'x.y.v1' }, { tenantId: tenant, eventId: id, code: 'EVENT_UNKNOWN', keyVersion: 4n }],
    ['data of another shape', { ...event, data: {} }, { tenantId: tenant, eventId: id, code: 'RECORD_INVALID', keyVersion: 4n }],
  ])('calls %s poison and keeps what it knows', (_, value, expected) => {
    expect(read(value)).toMatchObject({ kind: 'poison', key, ...expected });
  });

  it('wants an id as the key of a versioned event, and nothing of the key of a fact', () => {
    expect(read(event, 'not-a-uuid')).toMatchObject({ kind: 'poison', code: 'RECORD_INVALID' });
    expect(read(event, null)).toMatchObject({ kind: 'poison', key: '' });
    expect(read({ ...event, keyversion: undefined }, 'anything')).toMatchObject({ kind: 'event', key: 'anything' });
  });

  it('asks nothing of the data of a type that the handler ignores, known or not', () => {
    expect(read({ ...event, data: {} }, key, [event.type])).toMatchObject({ kind: 'ignored' });
    expect(read({ ...event, type: 'x.y.v1' }, key, ['x.y.v1'])).toMatchObject({ kind: 'ignored' });
  });

  it('hands old data to the upcaster', () => {
    const incoming = readIncoming(record({ ...event, data: { contactId: id } }), new Set(), () => (data) => ({
      ...(data as object),
      subjectId: key,
    }));
    expect(incoming).toMatchObject({ kind: 'event', consumed: { event: { data: { contactId: id, subjectId: key } } } });
  });
});

describe(byTenant.name, () => {
  it('keeps the order within a tenant and sorts the tenants', () => {
    const items = ['b1', 'a1', 'b2', 'a2'].map((name) => ({ tenantId: name.charAt(0), name }));
    expect(byTenant(items).map(([tenantId, group]) => [tenantId, group.map(({ name }) => name)])).toEqual([
      ['a', ['a1', 'a2']],
      ['b', ['b1', 'b2']],
    ]);
  });
});
