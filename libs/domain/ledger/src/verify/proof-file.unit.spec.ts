import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ledger, memoryTree, ORIGIN, sha256, signer, TENANT, trust } from '../fixtures.spec.js';
import {
  consistencyProof,
  formatTlogProof,
  inclusionProof,
  parseTlogProof,
  rootAt,
  signCheckpoint,
  utf8,
  verdictOf,
  verifierKey,
  verifyHeads,
  verifyProof,
  type TlogProof,
} from '../index.js';

const invalid = expect.objectContaining({ code: 'RECORD_INVALID' }) as unknown as Error;
const texts = ledger([[1], [1, 2, 3], [2]]);
const { source } = memoryTree(texts.map((text) => utf8(text)));
const note = async (size: number, origin = ORIGIN): Promise<string> => {
  const key = verifierKey(sha256, origin, signer().publicKey);
  return signCheckpoint({ origin, size: BigInt(size), root: await rootAt(sha256, source, BigInt(size)) }, key, signer().sign);
};
const proofOf = async (index: number): Promise<TlogProof> => ({
  index: BigInt(index),
  extra: utf8(texts[index] as string),
  path: await inclusionProof(sha256, source, BigInt(index), BigInt(texts.length)),
  checkpoint: await note(texts.length),
});

describe('proof file', () => {
  it('is written and read back', async () => {
    for (const proof of [await proofOf(0), { ...(await proofOf(4)), extra: null }])
      expect(parseTlogProof(formatTlogProof(proof))).toEqual(proof);
  });

  it('verifies for every leaf, with the leaf inside or apart', async () => {
    for (let index = 0; index < texts.length; index += 1) {
      const proof = await proofOf(index);
      expect((await verifyProof(proof, trust())).findings).toEqual([]);
      expect((await verifyProof({ ...proof, extra: null }, trust(), proof.extra)).findings).toEqual([]);
    }
  });

  it('names the record for any single flipped bit', async () => {
    const original = Buffer.from(formatTlogProof(await proofOf(3)));
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(original);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
        let verdict: string;
        try {
          const proof = parseTlogProof(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(changed));
          const report = await verifyProof(proof, trust());
          verdict = verdictOf(report.findings);
          expect(report.findings[0]?.text).toMatch(/record|checkpoint/);
        } catch (error) {
          if ((error as Error).name === 'JestAssertionError') throw error;
          verdict = 'malformed';
        }
        expect(verdict).not.toBe('ok');
      }),
      { numRuns: 300 },
    );
  });

  it('wants the leaf, and one leaf only', async () => {
    const proof = await proofOf(1);
    expect(verdictOf((await verifyProof({ ...proof, extra: null }, trust())).findings)).toBe('gap');
    expect(verdictOf((await verifyProof(proof, trust(), utf8('another'))).findings)).toBe('tampered');
  });

  it('refuses the leaf of another tenant in a tree of this one', async () => {
    const foreign = (texts[0] as string).replaceAll(TENANT, TENANT.replace('6b', '7b'));
    const tree = memoryTree([utf8(foreign)]);
    const root = await rootAt(sha256, tree.source, 1n);
    const key = verifierKey(sha256, ORIGIN, signer().publicKey);
    const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1n, root }, key, signer().sign);
    const report = await verifyProof({ index: 0n, extra: utf8(foreign), path: [], checkpoint }, trust());
    expect(report.findings[0]?.text).toContain('INVALID: the leaf belongs to centralita/7b');
  });

  it.each([
    ['no blank line', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\nx'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nx'],
    ['a leading zero', 'c2sp.org/tlog-proof@v1\nindex 01\n\nx'],
    ['a short hash', 'c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx'],
    ['too long a path', `c2sp.org/tlog-proof@v1\nindex 0\n${'AAAA\n'.repeat(65)}\nx`],
  ])('is refused with %s', (_, text) => expect(() => parseTlogProof(text)).toThrow(invalid));
});

describe('consistency of two checkpoints', () => {
  const heads = async (from: number, to: number): Promise<Parameters<typeof verifyHeads>[0]> => ({
    from: await note(from),
    to: await note(to),
    path: await consistencyProof(sha256, source, BigInt(from), BigInt(to)),
  });

  it('holds for every pair of sizes', async () => {
    for (let from = 0; from <= texts.length; from += 1)
      for (let to = from; to <= texts.length; to += 1)
        expect((await verifyHeads(await heads(from, to), trust())).findings).toEqual([]);
  });

  it('fails for another path, another log, an unknown key and a broken note', async () => {
    const good = await heads(3, 6);
    const verdict = async (changed: Partial<typeof good>, keys = trust()): Promise<string> =>
      verdictOf((await verifyHeads({ ...good, ...changed }, keys)).findings);
    expect(await verdict({ path: good.path.slice(1) })).toBe('tampered');
    const other = 'centralita/other';
    const both = trust([...trust().keys, verifierKey(sha256, other, signer().publicKey)]);
    expect(await verdict({ to: await note(6, other) }, both)).toBe('tampered');
    expect(await verdict({}, trust([]))).toBe('unknown_key');
    expect(await verdict({ from: 'no note' })).toBe('malformed');
    expect(await verdict({ from: good.from.replace('\n3\n', '\n2\n') })).toBe('tampered');
  });
});
