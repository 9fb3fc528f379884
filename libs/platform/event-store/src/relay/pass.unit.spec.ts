import { describe, expect, it } from '@jest/globals';
import { headKey, planPass } from './pass.js';
import type { ReadRow, Sent } from './relay-session.js';

const tenantId = '11111111-1111-4111-8111-111111111111';
const topic = 'conversation.events.v1';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const rows = (key: string, published: number, versions: readonly (number | null)[]): ReadRow[] =>
  versions.map(
    (version) =>
      ({
        tenant_id: tenantId,
        topic,
        key,
        bucket: 1,
        dirty_since: new Date(1_000),
        published_version: String(published),
        last_version: '99',
        key_version: version === null ? null : String(version),
        event_id: version === null ? null : id(version),
        stream_id: key,
        stream_version: String(version),
        type: 'contact.identified.v1',
        data: { n: version },
        meta: {
          source: '/centralita/conversation',
          time: 't',
          correlationId: 'c',
          causationId: null,
          traceparent: '00-aa-bb-01',
        },
        recorded_at: new Date(version ?? 0),
        domain_seq: null,
      }) as ReadRow,
  );
const sent = (key: string, from: number, to: number): [string, Sent] => [
  headKey({ tenantId, topic, key }),
  { tenantId, topic, key, from: BigInt(from), to: BigInt(to), eventId: id(to) },
];
const versions = (plan: ReturnType<typeof planPass>): string[] =>
  plan.heads.flatMap(({ records }) =>
    records.map(({ value }) => (JSON.parse(value?.toString() ?? '') as { keyversion: string }).keyversion),
  );

describe(planPass.name, () => {
  it('sends a run and marks its last event, never the last version of the head', () => {
    const plan = planPass(rows('k', 3, [4, 5, 6]), new Map(), new Set());
    expect(versions(plan)).toEqual(['4', '5', '6']);
    expect(plan.heads[0]?.mark).toEqual({ tenantId, topic, key: 'k', from: 3n, to: 6n, eventId: id(6) });
    expect(plan.heads[0]?.records[0]).toMatchObject({ key: 'k', headers: { traceparent: '00-aa-bb-01' } });
    expect(plan.oldest).toEqual(new Date(4));
  });

  it('neither sends nor marks a key of which it sent another event under the same version', () => {
    const [name, mark] = sent('k', 3, 5);
    const remembered = new Map([[name, { ...mark, eventId: id(50) }]]);
    const plan = planPass([...rows('k', 3, [4, 5]), ...rows('l', 0, [1])], remembered, new Set());
    expect(plan.reused).toEqual([{ topic, key: 'k' }]);
    expect(versions(plan)).toEqual(['1']);
  });

  it('does not send again what it remembers, and marks all of it', () => {
    const remembered = new Map([sent('k', 3, 5)]);
    const plan = planPass(rows('k', 3, [4, 5, 6]), remembered, new Set());
    expect(versions(plan)).toEqual(['6']);
    expect(plan.heads[0]?.mark).toMatchObject({ from: 3n, to: 6n });
    const nothingNew = planPass(rows('k', 3, [4, 5]), remembered, new Set());
    expect(versions(nothingNew)).toEqual([]);
    expect(nothingNew.heads[0]?.mark).toMatchObject({ from: 3n, to: 5n });
    expect(planPass(rows('k', 3, [4]), remembered, new Set()).heads[0]?.mark).toMatchObject({ to: 5n, eventId: id(5) });
  });

  it('forgets what it remembers of a head that somebody else has moved', () => {
    const plan = planPass(rows('k', 4, [5, 6]), new Map([sent('k', 3, 5)]), new Set());
    expect(versions(plan)).toEqual(['5', '6']);
  });

  it.each([
    ['without events', [null]],
    ['that does not begin after what was published', [5, 6]],
    ['with a hole', [4, 6]],
  ])('reports a head %s and sends nothing of it', (_, found) => {
    const plan = planPass([...rows('broken', 3, found), ...rows('fine', 0, [1])], new Map(), new Set());
    expect(plan.holes).toEqual([{ topic, key: 'broken' }]);
    expect(plan.heads.map(({ mark }) => mark.key)).toEqual(['fine']);
  });

  it('leaves blocked heads alone', () => {
    const plan = planPass(rows('k', 0, [1]), new Map(), new Set([headKey({ tenantId, topic, key: 'k' })]));
    expect(plan).toEqual({ heads: [], holes: [], reused: [], oldest: null });
  });
});
