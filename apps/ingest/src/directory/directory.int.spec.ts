import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { References } from '@centralita/keyring';
import { ingestFixture, type IngestFixture } from '../support.spec.js';
import { Directory, indexIdentity, type IndexedIdentity } from './directory.js';

let fixture: IngestFixture;
beforeAll(async () => {
  fixture = await ingestFixture();
});
afterAll(() => fixture.close());

const T0 = Date.UTC(2026, 9, 1);
const HOUR = 3_600_000;

type Who = { phone?: string; bsuid?: string; parentBsuid?: string; group?: string };
const tenantWith = async () => {
  const tenantId = randomUUID();
  const references: References = await fixture.keyring.references(tenantId);
  const index = (who: Who, at = T0, also?: Who): IndexedIdentity => indexIdentity(references, who, at, also);
  const directory = new Directory(fixture.db);
  return {
    tenantId,
    directory,
    index,
    /** A process of its own: nothing cached. */
    fresh: (...identities: IndexedIdentity[]) => new Directory(fixture.db).resolve(tenantId, identities),
    one: async (who: Who, at = T0, also?: Who) => (await new Directory(fixture.db).resolve(tenantId, [index(who, at, also)]))[0]!,
  };
};

describe('resolvers that meet', () => {
  it('never split a new customer, whichever identifiers each of them sees', async () => {
    const { tenantId, index } = await tenantWith();
    const customers = Array.from({ length: 60 }, (_, n) => ({ phone: `3460000${String(n).padStart(4, '0')}`, bsuid: `ES.${n}` }));
    // given six processes that see the same sixty new customers, each in another order, half of them without the phone
    const processes = Array.from({ length: 6 }, () => new Directory(fixture.db));
    const seen = await Promise.all(
      processes.map(async (directory, p) => {
        const rotated = customers.map((_, n) => customers[(n + p * 11) % customers.length]!);
        const found = new Map<string, string>();
        for (let from = 0; from < rotated.length; from += 5) {
          const some = rotated.slice(from, from + 5);
          const identities = some.map((who, n) => index((n + p) % 2 === 0 ? who : { bsuid: who.bsuid }));
          const subjects = await directory.resolve(tenantId, identities);
          some.forEach((who, n) => found.set(who.bsuid, subjects[n]!));
        }
        return found;
      }),
    );
    // then all agree, and every phone leads to the subject of its BSUID
    for (const { bsuid } of customers) expect(new Set(seen.map((found) => found.get(bsuid))).size).toBe(1);
    const byPhone = await new Directory(fixture.db).resolve(
      tenantId,
      customers.map(({ phone }) => index({ phone })),
    );
    expect(byPhone).toEqual(customers.map(({ bsuid }) => seen[0]!.get(bsuid)));
    expect(new Set(byPhone).size).toBe(customers.length);
  });

  it('agree on one customer in one instant', async () => {
    for (let round = 0; round < 25; round++) {
      const { tenantId, index } = await tenantWith();
      const who = { phone: '34600000001', bsuid: 'ES.1' };
      // Who sees only the phone may be first; then the BSUID joins it. (Seen apart, nobody could know that the two are one.)
      const part = round % 2 === 0 ? { bsuid: who.bsuid } : { phone: who.phone };
      const seen = await Promise.all(
        [who, part, who, part, who].map((seenAs) => new Directory(fixture.db).resolve(tenantId, [index(seenAs)])),
      );
      expect(new Set(seen.flat()).size).toBe(1);
    }
  });
});

describe('the rules', () => {
  it('a BSUID joins the subject of its phone when that has none', async () => {
    const { one } = await tenantWith();
    const subject = await one({ phone: '34600000001' });
    expect(await one({ phone: '34600000001', bsuid: 'ES.1' })).toBe(subject);
    expect(await one({ bsuid: 'ES.1' })).toBe(subject);
  });

  it('a recycled number never inherits a stranger’s history', async () => {
    const { one } = await tenantWith();
    const first = await one({ phone: '34600000001', bsuid: 'ES.1' }, T0);
    const second = await one({ phone: '34600000001', bsuid: 'ES.2' }, T0 + HOUR);
    expect(second).not.toBe(first);
    expect(await one({ bsuid: 'ES.1' })).toBe(first);
    // The bare phone belongs to whoever had it at the item's time: a late redelivery keeps its key.
    expect(await one({ phone: '34600000001' }, T0 + 2 * HOUR)).toBe(second);
    expect(await one({ phone: '34600000001' }, T0 + HOUR - 1)).toBe(first);
    expect(await one({ phone: '34600000001' }, T0 - HOUR)).toBe(first);
  });

  it('a customer who takes a known number brings their own subject', async () => {
    const { one } = await tenantWith();
    const byPhone = await one({ phone: '34600000001' }, T0);
    const byBsuid = await one({ bsuid: 'ES.1' }, T0);
    expect(byBsuid).not.toBe(byPhone);
    expect(await one({ phone: '34600000001', bsuid: 'ES.1' }, T0 + HOUR)).toBe(byBsuid);
    expect(await one({ phone: '34600000001' }, T0 + 2 * HOUR)).toBe(byBsuid);
    expect(await one({ phone: '34600000001' }, T0)).toBe(byPhone);
  });

  it('a rotation adds a row for the same subject', async () => {
    const { one } = await tenantWith();
    const subject = await one({ phone: '34600000001', bsuid: 'ES.1' });
    expect(await one({ bsuid: 'ES.1' }, T0 + HOUR, { bsuid: 'ES.2', phone: '34600000002' })).toBe(subject);
    expect(await one({ bsuid: 'ES.2' }, T0 + 2 * HOUR)).toBe(subject);
    expect(await one({ phone: '34600000002' }, T0 + 2 * HOUR)).toBe(subject);
  });

  it('a rotation never takes an identifier from its subject', async () => {
    const { one } = await tenantWith();
    const early = await one({ bsuid: 'ES.2' });
    const subject = await one({ bsuid: 'ES.1' });
    expect(await one({ bsuid: 'ES.1' }, T0, { bsuid: 'ES.2' })).toBe(subject);
    expect(await one({ bsuid: 'ES.2' })).toBe(early);
    // Of a rotation whose beginning nobody saw, the present counts.
    expect(await one({ bsuid: 'ES.0' }, T0, { bsuid: 'ES.2' })).toBe(early);
  });

  it('a parent BSUID decides when the BSUID is new', async () => {
    const { one } = await tenantWith();
    const subject = await one({ bsuid: 'US.1', parentBsuid: 'US.ENT.1' });
    expect(await one({ bsuid: 'US.2', parentBsuid: 'US.ENT.1' })).toBe(subject);
    expect(await one({ bsuid: 'US.2' })).toBe(subject);
  });

  it('a group is a subject of its own', async () => {
    const { one, fresh, index } = await tenantWith();
    const group = await one({ group: 'G1' });
    expect(await one({ group: 'G1' })).toBe(group);
    expect(await fresh(index({ phone: '34600000001' }), index({ group: 'G1' }))).toContain(group);
    expect(await one({ phone: '34600000001' })).not.toBe(group);
  });

  it('items of one delivery see each other', async () => {
    const { fresh, index } = await tenantWith();
    const who = { phone: '34600000001', bsuid: 'ES.1' };
    const subjects = await fresh(index(who), index({ phone: who.phone }), index({ bsuid: who.bsuid }), index(who));
    expect(new Set(subjects).size).toBe(1);
  });
});

describe('tenants', () => {
  it('never share a subject', async () => {
    const [a, b] = [await tenantWith(), await tenantWith()];
    const who = { phone: '34600000001', bsuid: 'ES.1' };
    expect(await a.one(who)).not.toBe(await b.one(who));
  });
});

describe('looking without making', () => {
  it('finds who is there and nobody else', async () => {
    const { tenantId, directory, index, one } = await tenantWith();
    const subject = await one({ phone: '34600000001', bsuid: 'ES.1' });
    expect(await directory.find(tenantId, index({ phone: '34600000001' }))).toBe(subject);
    expect(await directory.find(tenantId, index({ bsuid: 'ES.1' }))).toBe(subject);
    expect(await directory.find(tenantId, index({ phone: '34600000002' }))).toBeNull();
    expect(await directory.find(tenantId, index({ phone: '34600000002' }))).toBeNull();
  });
});

describe('what is remembered', () => {
  it('is let go on demand', async () => {
    const { tenantId, directory, index } = await tenantWith();
    const [before] = await directory.resolve(tenantId, [index({ bsuid: 'ES.1' })]);
    // given an erasure that detached the rows elsewhere
    await fixture.db.withTenant(tenantId, (tx) => tx.execute('delete from identity where subject_id = $1', [before]));
    expect(await directory.resolve(tenantId, [index({ bsuid: 'ES.1' })])).toEqual([before]);
    const [after] = await directory.resolve(tenantId, [index({ bsuid: 'ES.1' })], true);
    expect(after).not.toBe(before);
    expect(await directory.resolve(tenantId, [index({ bsuid: 'ES.1' })])).toEqual([after]);
  });
});
