import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldUsage, type Evidence, type UsageEvidence } from './usage.js';

const regular = { model: 'PMP', type: 'regular', category: 'service', subtype: null, billable: true };
const free = { ...regular, type: 'free_customer_service', billable: false };
let next = 0;
const evidence = (status: string, at: string, pricing: Evidence['pricing'] = null, recordedTime = at): Evidence => ({
  eventId: `e${(next += 1)}`,
  status,
  providerTime: at,
  recordedTime,
  pricing,
});
const of = (...list: Evidence[]): UsageEvidence => ({
  messageRef: 'AAECAwQFBgcICQoLDA0ODw',
  participant: '-',
  chargeKind: 'message',
  wabaId: '501',
  phoneNumberId: '1001',
  marketHint: { country: 'ES', prefix: '3460' },
  evidence: list,
});
const fold = (...list: Evidence[]) => foldUsage(of(...list), 'Europe/Madrid');

describe('usage of one message', () => {
  it('is nothing until something proves delivery', () => {
    expect(fold(evidence('sent', '2026-11-01T10:00:00.000Z', regular))).toBeNull();
  });

  it('is nothing for a failed message, priced or not', () => {
    expect(
      fold(evidence('sent', '2026-11-01T10:00:00.000Z', regular), evidence('failed', '2026-11-01T10:00:01.000Z')),
    ).toBeNull();
  });

  it('takes read as delivery when delivered was never sent', () => {
    expect(fold(evidence('read', '2026-11-01T10:00:05.000Z', regular))).toMatchObject({
      state: 'charged',
      deliveredAt: '2026-11-01T10:00:05.000Z',
    });
  });

  it('takes the earliest evidence, whatever arrives first', () => {
    const result = fold(
      evidence('read', '2026-11-01T10:00:09.000Z', regular),
      evidence('delivered', '2026-11-01T10:00:05.000Z'),
      evidence('sent', '2026-11-01T10:00:01.000Z', regular),
    );
    expect(result).toMatchObject({ deliveredAt: '2026-11-01T10:00:05.000Z', state: 'charged', suspenseReason: null });
  });

  it('believes the type, not the billable flag', () => {
    expect(fold(evidence('delivered', '2026-11-01T10:00:00.000Z', { ...free, billable: true }))).toMatchObject({ state: 'free' });
  });

  it('files a delivery by the local month of the account: 23:30 UTC is the next day in Madrid', () => {
    expect(fold(evidence('delivered', '2026-10-31T23:30:00.000Z', regular))).toMatchObject({ month: '2026-11' });
    expect(foldUsage(of(evidence('delivered', '2026-11-01T03:00:00.000Z', regular)), 'America/Los_Angeles')).toMatchObject({
      month: '2026-10',
    });
  });

  it.each([
    [
      'contradictory_pricing',
      [evidence('sent', '2026-11-01T10:00:00.000Z', free), evidence('read', '2026-11-01T10:00:01.000Z', regular)],
    ],
    ['pricing_missing', [evidence('read', '2026-11-01T10:00:01.000Z')]],
    ['pricing_type_unknown', [evidence('read', '2026-11-01T10:00:01.000Z', { ...regular, type: 'barter' })]],
    ['category_missing', [evidence('read', '2026-11-01T10:00:01.000Z', { ...regular, category: null })]],
    ['time_clamped', [evidence('read', '2026-01-01T10:00:01.000Z', regular, '2026-11-01T10:00:00.000Z')]],
  ] as const)('goes to suspense: %s', (reason, list) => {
    expect(fold(...list)).toMatchObject({ state: 'suspense', suspenseReason: reason });
  });

  it('goes to suspense when the account is not known', () => {
    expect(foldUsage(of(evidence('read', '2026-11-01T10:00:01.000Z', regular)), null)).toMatchObject({
      state: 'suspense',
      suspenseReason: 'account_unknown',
    });
  });

  it('does not depend on the order or number of copies of the evidence', () => {
    const item = fc.record({
      status: fc.constantFrom('sent', 'delivered', 'read', 'failed', 'played'),
      at: fc.integer({ min: 0, max: 100 }),
      pricing: fc.constantFrom(null, regular, free),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), fc.integer(), (items, salt) => {
        const list = items.map(({ status, at, pricing }) =>
          evidence(status, new Date(Date.UTC(2026, 10, 1) + at * 1000).toISOString(), pricing),
        );
        const shuffled = [...list, ...list.slice(0, 2)]
          .sort((left, right) => ((left.eventId.length * 7 + salt) % 3) - ((right.eventId.length * 5 + salt) % 3))
          .reverse();
        expect(fold(...shuffled)).toEqual(fold(...list));
      }),
    );
  });
});
