import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exportOf, ledger, ORIGIN, sha256, signer, trust } from '../fixtures.spec.js';
import type { ExportBundle } from '@centralita/contracts';
import { fsck, leafHash, parseExport, toHex, utf8, verdictOf, verifierKey, verifyExport } from '../index.js';

const records = fc.array(fc.array(fc.nat(4), { minLength: 0, maxLength: 3 }), { minLength: 2, maxLength: 8 });
const texts = ledger([[1], [1, 2, 3], [2], [1]]);

const verdict = async (bundle: ExportBundle, keys = trust()): Promise<string> =>
  verdictOf((await verifyExport(bundle, keys)).findings);

describe('verify export', () => {
  it('accepts any range of any log', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.nat(), fc.nat(), async (shown, a, b) => {
        const log = ledger(shown);
        const from = a % log.length;
        const to = from + (b % (log.length - from + 1));
        const report = await verifyExport(await exportOf(log, { from, to }), trust());
        expect(report.findings).toEqual([]);
        expect(report.records).toEqual({ valid: to - from, total: to - from });
      }),
      { numRuns: 60 },
    );
  });

  it('counts records and subjects', async () => {
    const report = await verifyExport(await exportOf(texts), trust());
    expect(report.records).toEqual({ valid: 7, total: 7 });
    expect(report.subjects).toEqual({ complete: 3, total: 3 });
    expect(report.heads[0]?.signedBy).toEqual([verifierKey(sha256, ORIGIN, signer().publicKey).keyId]);
  });

  it('is not satisfied by a key that only the file names, nor by another key', async () => {
    const bundle = await exportOf(texts);
    expect(await verdict(bundle, trust([]))).toBe('unknown_key');
    expect(await verdict(await exportOf(texts, { seed: 9 }))).toBe('unknown_key');
  });

  it('names a changed record', async () => {
    const bundle = await exportOf(texts);
    const changed = { ...bundle, leaves: bundle.leaves.with(2, (bundle.leaves[2] as string).replace('agent', 'agenf')) };
    const report = await verifyExport(changed, trust());
    expect(verdictOf(report.findings)).toBe('tampered');
    expect(report.findings).toContainEqual({
      verdict: 'tampered',
      text: "record 3 (leaf 2) INVALID: hash value doesn't match",
      leafIndex: '2',
      recordId: '00000000-0000-7000-8000-000000000002',
    });
  });

  it('sees a changed record with a changed hash by the root', async () => {
    const bundle = await exportOf(texts);
    const leaf = (bundle.leaves[6] as string).replace('"role":"agent"', '"role":"billing"');
    const changed = {
      ...bundle,
      leaves: bundle.leaves.with(6, leaf),
      leafHashes: bundle.leafHashes.with(6, toHex(leafHash(sha256, utf8(leaf)))),
    };
    const report = await verifyExport(changed, trust());
    expect(verdictOf(report.findings)).toBe('tampered');
    expect(report.findings[0]?.text).toBe(`checkpoint ${ORIGIN} size 7 INVALID: root of the leaves doesn't match`);
  });

  it('finds any one record that was taken out, with or without its traces', async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.nat(), async (shown, pick) => {
        const bundle = await exportOf(ledger(shown));
        const at = pick % bundle.leaves.length;
        const without = bundle.leaves.toSpliced(at, 1);
        const report = await verifyExport({ ...bundle, leaves: without }, trust());
        expect(verdictOf(report.findings)).toBe('gap');
        expect(report.findings.map((each) => each.leafIndex)).toContain(at.toString());
        const hashes = bundle.leafHashes.toSpliced(at, 1);
        expect(await verdict({ ...bundle, leaves: without, leafHashes: hashes })).toBe('gap');
        const to = without.length.toString();
        const hidden = await verifyExport({ ...bundle, to, leaves: without, leafHashes: hashes }, trust());
        // Nothing inside the file shows that its last record is gone, except that the path no longer fits.
        const visible = hidden.findings.some((each) => !each.text.startsWith('checkpoint'));
        expect(verdictOf(hidden.findings)).toBe(visible ? 'gap' : 'tampered');
        if (at < without.length && bundle.leaves[at]?.includes('"kind":"record"')) expect(visible).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('says which number of a subject is missing', async () => {
    const bundle = await exportOf(texts);
    const [one, , , , , , last] = texts as [string, string, string, string, string, string, string];
    const hidden = {
      ...bundle,
      to: '2',
      leaves: [one, last],
      leafHashes: [bundle.leafHashes[0], bundle.leafHashes[6]] as string[],
    };
    const report = await verifyExport(hidden, trust());
    expect(verdictOf(report.findings)).toBe('gap');
    expect(report.findings.map(({ text }) => text)).toContain('subject cccccccc… GAP: seq 2 missing between leaves 0 and 1');
    expect(report.findings.map(({ text }) => text)).toContain('source 0a9d5c3e… GAP: number 2-3 missing before leaf 1');
  });

  it('takes a number that stands twice, and a leaf that does not follow its predecessor, for a changed log', async () => {
    const twice = ledger([[1], [2]]).map((text) => text.replace('"sourceNumber":"2"', '"sourceNumber":"1"'));
    const unlinked = ledger([[1], [1]]).map((text) => text.replace('"subjectPrev":"0"', '"subjectPrev":"7"'));
    const unnumbered = ledger([[1]]).map((text) => text.replace('"subjectSeq":1', '"subjectSeq":null'));
    const texts = async (log: string[]): Promise<string[]> =>
      (await verifyExport(await exportOf(log), trust())).findings.map(({ text }) => text);
    expect(await texts(twice)).toEqual(['source 0a9d5c3e… INVALID: number 1 stands twice']);
    expect(await texts(unlinked)).toEqual(['subject cccccccc… INVALID: leaf 1 does not follow its predecessor']);
    expect(await texts(unnumbered)).toEqual(['subject cccccccc… INVALID: leaf 0 has no number']);
  });

  it('finds a leaf without a hash, and a leaf that is no leaf', async () => {
    const bundle = await exportOf(texts);
    expect(await verdict({ ...bundle, leaves: [...bundle.leaves, 'more'] })).toBe('tampered');
    expect(await verdict(await exportOf(['not a leaf', ...texts]))).toBe('malformed');
  });

  it('fails for any single flipped bit of the file', async () => {
    const original = Buffer.from(JSON.stringify(await exportOf(texts, { from: 1, to: 6 })));
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(original);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
        let result: string;
        try {
          result = await verdict(parseExport(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(changed)));
        } catch {
          result = 'malformed';
        }
        expect(result).not.toBe('ok');
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a file with another shape', async () => {
    const bundle = await exportOf(texts);
    const invalid = expect.objectContaining({ code: 'RECORD_INVALID' }) as unknown as Error;
    expect(() => parseExport('{')).toThrow(invalid);
    expect(() => parseExport(JSON.stringify({ ...bundle, more: 1 }))).toThrow(invalid);
    expect(() => parseExport(JSON.stringify({ ...bundle, from: '01' }))).toThrow(invalid);
  });

  it('refuses leaves and keys of another log', async () => {
    const bundle = await exportOf(texts);
    expect(await verdict({ ...bundle, origin: 'centralita/other' })).toBe('tampered');
  });
});

describe('fsck', () => {
  const parts = (): Promise<ExportBundle[]> =>
    Promise.all([exportOf(texts, { from: 0, to: 3, size: 5 }), exportOf(texts, { from: 3, to: 7 })]);

  it('derives a whole log again from exports in any order', async () => {
    const [first, second] = (await parts()) as [ExportBundle, ExportBundle];
    const report = await fsck([second, first], trust());
    expect(report.findings).toEqual([]);
    expect(report.records).toEqual({ valid: 7, total: 7 });
    expect(report.subjects).toEqual({ complete: 3, total: 3 });
    expect(report.heads.map(({ checkpoint }) => checkpoint.size)).toEqual([5n, 7n]);
  });

  it('finds a missing file, a doubled one and one of another log', async () => {
    const [first, second] = (await parts()) as [ExportBundle, ExportBundle];
    expect(verdictOf((await fsck([second], trust())).findings)).toBe('gap');
    expect((await fsck([first], trust())).findings.map(({ text }) => text)).toContain('records GAP: leaves 3-4 are in no file');
    expect(verdictOf((await fsck([first, first, second], trust())).findings)).toBe('malformed');
    expect(verdictOf((await fsck([first, { ...second, origin: 'centralita/x' }], trust())).findings)).toBe('malformed');
  });

  it('finds a checkpoint that was signed over another history', async () => {
    const [first, second] = (await parts()) as [ExportBundle, ExportBundle];
    const fork = await exportOf(ledger([[1], [1, 2, 4], [2], [1]]), { from: 0, to: 3, size: 5 });
    const report = await fsck([{ ...first, checkpoint: fork.checkpoint }, second], trust());
    expect(verdictOf(report.findings)).toBe('tampered');
    expect(report.findings[0]?.text).toContain('checkpoint');
  });
});
