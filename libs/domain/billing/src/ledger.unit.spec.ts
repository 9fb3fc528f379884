import { describe, expect, it } from '@jest/globals';
import { interleave } from '@centralita/testing-kit';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { evolveUsage, initialUsage, stateText, UsageLedger, type StatusFact } from './ledger.js';

const regular = { model: 'PMP', type: 'regular', category: 'service', subtype: null, billable: true };
const refs = ['AAECAwQFBgcICQoLDA0ODw', 'BBECAwQFBgcICQoLDA0ODw', 'CCECAwQFBgcICQoLDA0ODw'];

const fact = (ref: number, index: number, status: string, priced: boolean): StatusFact => ({
  eventId: `event-${ref}-${index}`,
  subjectKey: `subject-${ref}`,
  recordedTime: '2026-11-10T10:00:00.000Z',
  data: {
    app: 'hotel',
    wabaId: '501',
    phoneNumberId: '501-1',
    messageRef: refs[ref] ?? '',
    sendId: null,
    status,
    providerTime: new Date(Date.UTC(2026, 10, 10, 10, 0, (index * 7) % 11)).toISOString(),
    participant: '-',
    marketHint: { country: 'ES', prefix: '3460' },
    pricing: priced ? regular : null,
    origin: null,
    errorCodes: [],
    sealed: { id: 'e', subject: 's', schema: 'wa.item.v1', kid: 'k', nonce: 'n', ct: 'c' },
  },
});

const digestText = (facts: readonly StatusFact[]): string => {
  const ledger = new UsageLedger(() => 'Europe/Madrid');
  for (const one of facts) ledger.applyStatus(one);
  return [...ledger.text()].join('');
};

describe('the usage ledger', () => {
  it('gives the same text for every interleaving of the keys, with any number of redeliveries', () => {
    const statuses = fc.array(fc.tuple(fc.constantFrom('sent', 'delivered', 'read', 'failed'), fc.boolean()), { maxLength: 5 });
    fc.assert(
      fc.property(fc.tuple(statuses, statuses, statuses), fc.nat(4), fc.infiniteStream(fc.nat()), (lists, duplicates, stream) => {
        const partitions = lists.map((list, ref) => list.map(([status, priced], index) => fact(ref, index, status, priced)));
        const mixed = interleave(partitions, (below) => (stream.next().value as number) % below, duplicates);
        expect(digestText(mixed)).toBe(digestText(partitions.flat()));
      }),
    );
  });

  it('is canonical JSON without the evidence, row by row', () => {
    const states = [fact(0, 0, 'sent', true), fact(1, 0, 'delivered', true)].map((one) =>
      evolveUsage(initialUsage(one), one, 'Europe/Madrid'),
    );
    const [, ...lines] = stateText(states, []);
    expect(lines).toEqual(states.map(({ evidence: _, ...row }) => `${canonicalize(row)}\n`));
    expect(states.map(({ usage }) => usage === null)).toEqual([true, false]);
  });

  it('tells a changed status apart', () => {
    expect(digestText([fact(0, 0, 'delivered', true)])).not.toBe(digestText([fact(0, 0, 'read', false)]));
  });

  it('counts a revision for each change, and none for what changes nothing', () => {
    const text = digestText([fact(0, 0, 'delivered', true), fact(0, 0, 'delivered', true), fact(0, 1, 'sent', true)]);
    expect(text).toContain('"revision":1');
  });
});
