import { describe, expect, it } from '@jest/globals';
import { accessPage, proof, record, tampered, VERIFIER_KEY } from '../testing/ledger-world.spec.js';
import { checkHistory } from './check-history.js';
import { checkProof } from './check-proof.js';
import { withGaps } from './gaps.js';
import { searchTarget } from './search-target.js';

describe('a proof', () => {
  it('of an untouched record is whole', async () => {
    expect(await checkProof(record(3), await proof(3), VERIFIER_KEY)).toMatchObject({
      state: 'proven',
      size: '6',
      steps: { leaf: true, path: true, signature: true },
    });
  });

  it('names the step that fails', async () => {
    const good = await proof(3);
    const check = (changed: Partial<typeof good>) => checkProof(record(3), { ...good, ...changed }, VERIFIER_KEY);
    expect(await checkProof(tampered(3), good, VERIFIER_KEY)).toMatchObject({ state: 'altered', steps: { leaf: false } });
    expect(await checkProof(record(2), good, VERIFIER_KEY)).toMatchObject({ state: 'altered', steps: { leaf: false } });
    const forged = good.tlogProof.replace('\n6\n', '\n7\n');
    expect(await check({ tlogProof: forged })).toMatchObject({ state: 'altered', steps: { signature: false } });
  });

  it('of what is shown, when the words beside the bytes are others', async () => {
    const { leaf, ...rest } = record(3);
    const lying = { ...rest, leaf: { ...leaf, verified: 'confirmed' as const } };
    expect(await checkProof(lying, await proof(3), VERIFIER_KEY)).toMatchObject({ state: 'altered', steps: { leaf: false } });
  });

  it('that cannot be read is refused, never passed', async () => {
    await expect(checkProof(record(3), { ...(await proof(3)), tlogProof: 'nonsense' }, VERIFIER_KEY)).rejects.toThrow();
  });
});

describe('a history', () => {
  it('has a line where a number is missing', () => {
    expect(withGaps(accessPage(null, true).items).filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(withGaps(accessPage(2, true).items).find(({ kind }) => kind === 'gap')).toEqual({
      kind: 'gap',
      missing: 1,
      after: '1',
      before: '3',
    });
  });
});

describe('a whole history', () => {
  const rows = accessPage(null, true).items;
  const check = (given: typeof rows) => checkHistory(given, rows.length, VERIFIER_KEY, (leafIndex) => proof(Number(leafIndex)));

  it('is proven when each record stands in the log and follows the one before it', async () => {
    expect(await check(rows)).toEqual({ state: 'proven', leaf: null, size: '6' });
  });

  it('is broken when a record is left out, though those that are shown are true', async () => {
    for (const left of [0, 2, rows.length - 1])
      expect(await check(rows.filter((_row, position) => position !== left))).toMatchObject({ state: 'gap' });
  });

  it('names a record whose words were changed, and one whose proof cannot be read', async () => {
    const lying = rows.map((row) => (row.leafIndex === '3' ? { ...row, leaf: { ...row.leaf, fields: [] } } : row));
    expect(await check(lying)).toMatchObject({ state: 'altered', leaf: '3' });
    const unreadable = checkHistory(rows, rows.length, VERIFIER_KEY, async (leafIndex) => ({
      ...(await proof(Number(leafIndex))),
      ...(leafIndex === '4' ? { tlogProof: 'nonsense' } : {}),
    }));
    expect(await unreadable).toMatchObject({ state: 'unchecked', leaf: '4' });
  });
});

describe('a search', () => {
  it.each([
    ['6B1F4B9E-3a52-4f0e-9d0a-0d4b1f0f7c11', { kind: 'subject', id: '6b1f4b9e-3a52-4f0e-9d0a-0d4b1f0f7c11' }],
    [' +34 600-123 (821) ', { kind: 'identifier', body: { phone: '+34600123821' } }],
    ['ES.1A2B3C', { kind: 'identifier', body: { bsuid: 'ES.1A2B3C' } }],
  ])('for %s', (text, target) => {
    expect(searchTarget(text)).toEqual(target);
  });
});
