import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { centralita } from '../runner.spec.js';
import { bundle, consistencyView, KEY_ID, note, ORIGIN, OTHER_VKEY, proofView, uuid, VKEY } from './fixtures.spec.js';

const trusted = ['--key', VKEY];
const file = async (value: unknown): Promise<string> => JSON.stringify(await value);

describe('centralita verify', () => {
  it('prints a transcript for an export', async () => {
    const ran = await centralita(['verify', 'export', 'e.json', ...trusted], { 'e.json': await file(bundle(0, 8)) });
    expect(ran).toMatchObject({
      exitCode: 0,
      out: [
        'e.json',
        `checkpoint ${ORIGIN} size 8 signed by log key ${KEY_ID}`,
        'records 8/8 valid',
        'subjects 3/3 complete',
        'result: OK',
      ],
      err: [],
    });
  });

  it('names the record that was changed: exit code 1', async () => {
    const good = await bundle(0, 8);
    const changed = { ...good, leaves: good.leaves.with(5, (good.leaves[5] as string).replace('agent', 'agenu')) };
    const ran = await centralita(['verify', 'export', 'e.json', ...trusted], { 'e.json': JSON.stringify(changed) });
    expect(ran.exitCode).toBe(1);
    expect(ran.out).toContain("record 6 (leaf 5) INVALID: hash value doesn't match");
    expect(ran.out.at(-1)).toBe('result: TAMPERED');
  });

  it('names the record that is missing: exit code 2', async () => {
    const good = await bundle(0, 8);
    const ran = await centralita(['verify', 'export', 'e.json', ...trusted], {
      'e.json': JSON.stringify({ ...good, leaves: good.leaves.toSpliced(3, 1), leafHashes: good.leafHashes.toSpliced(3, 1) }),
    });
    expect(ran.exitCode).toBe(2);
    expect(ran.out).toContain('subject cccccccc… GAP: seq 2 missing between leaves 0 and 5');
    expect(ran.out.at(-1)).toBe('result: GAP');
  });

  it('names the file that cannot be read as an export: exit code 3', async () => {
    const ran = await centralita(['verify', 'export', 'e.json', ...trusted], { 'e.json': '{"leaves":[]}' });
    expect(ran.exitCode).toBe(3);
    expect(ran.out[1]).toMatch(/^e\.json MALFORMED: export: .*origin/);
  });

  it('does not take the file’s own word for its key: exit code 4', async () => {
    const files = { 'e.json': await file(bundle(0, 8)), 'c.txt': await note(8) };
    for (const argv of [
      ['export', 'e.json'],
      ['note', 'c.txt'],
      ['note', 'c.txt', '--key', OTHER_VKEY],
    ])
      expect(await centralita(['verify', ...argv], files)).toMatchObject({ exitCode: 4, err: [] });
    const ran = await centralita(['verify', 'export', 'e.json'], files);
    expect(ran.out).toContain(`checkpoint UNKNOWN KEY: only the file itself vouches for ${VKEY}`);
    expect(ran.out.at(-1)).toBe('result: UNKNOWN KEY');
  });

  it('verifies notes, proofs in both forms and consistency', async () => {
    const view = await proofView(6);
    const files = {
      'c.txt': await note(5),
      'p.json': JSON.stringify(view),
      'p.tlog-proof': view.tlogProof,
      'k.json': await file(consistencyView(3, 8)),
    };
    const note5 = await centralita(['verify', 'note', 'c.txt', ...trusted], files);
    expect(note5.out.slice(1)).toEqual([`checkpoint ${ORIGIN} size 5 signed by log key ${KEY_ID}`, 'result: OK']);
    const proofs = await centralita(['verify', 'proof', 'p.json', 'p.tlog-proof', ...trusted], files);
    expect(proofs.exitCode).toBe(0);
    expect(proofs.out.filter((line) => line === `record ${uuid(6)} (leaf 6) valid`)).toHaveLength(2);
    const consistency = await centralita(['verify', 'consistency', 'k.json', ...trusted], files);
    expect(consistency).toMatchObject({ exitCode: 0 });
    expect(consistency.out).toContain('consistency 3 to 8 valid');
  });

  it('takes the leaf from a file of its own', async () => {
    const view = await proofView(2);
    const bare = view.tlogProof.replace(/extra .*\n/, '');
    const leaf = (await bundle(2, 3)).leaves[0] as string;
    const files = { 'p.tlog-proof': bare, 'leaf.json': leaf, 'other.json': leaf.replace('agent', 'agenu') };
    expect(await centralita(['verify', 'proof', 'p.tlog-proof', ...trusted], files)).toMatchObject({ exitCode: 2 });
    const argv = ['verify', 'proof', 'p.tlog-proof', ...trusted, '--leaf'];
    expect(await centralita([...argv, 'leaf.json'], files)).toMatchObject({ exitCode: 0 });
    const wrong = await centralita([...argv, 'other.json'], files);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.out).toContain(`record ${uuid(2)} (leaf 2) INVALID: hash value doesn't match`);
  });

  it('derives a whole log from several exports', async () => {
    const files = { 'a.json': await file(bundle(0, 3)), 'b.json': await file(bundle(3, 8)) };
    const ran = await centralita(['verify', 'fsck', 'b.json', 'a.json', ...trusted], files);
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.out).toContain('records 8/8 valid');
    expect(await centralita(['verify', 'fsck', 'b.json', ...trusted], files)).toMatchObject({ exitCode: 2 });
    expect(await centralita(['verify', 'fsck', 'a.json', 'c.json', ...trusted], { ...files, 'c.json': '[' })).toMatchObject({
      exitCode: 3,
    });
  });

  it('says the same as JSON', async () => {
    const ran = await centralita(['verify', 'export', 'e.json', '--json', ...trusted], { 'e.json': await file(bundle(0, 8)) });
    expect(JSON.parse(ran.out.join('\n'))).toMatchObject({
      command: 'export',
      result: 'ok',
      exitCode: 0,
      reports: [
        {
          files: ['e.json'],
          checkpoints: [{ origin: ORIGIN, size: '8', signedBy: [KEY_ID] }],
          counts: { records: { good: 8, total: 8 }, subjects: { good: 3, total: 3 } },
          findings: [],
        },
      ],
    });
  });

  it('keeps wrong usage apart from every verdict', async () => {
    for (const argv of [
      ['verify', 'export'],
      ['verify', 'export', 'absent.json'],
      ['verify', 'export', 'e.json', '--key', 'no-key'],
      ['verify', 'nothing', 'e.json'],
      ['verify', 'note', 'e.json', '--leaf', 'e.json'],
    ]) {
      const ran = await centralita(argv, { 'e.json': '{}' });
      expect(ran.exitCode).toBe(64);
      expect(ran.err.join('\n')).toContain('error:');
    }
    expect(await centralita(['--version'], {})).toMatchObject({ exitCode: 0, out: ['0.1.0'] });
  });

  it('never says OK for a file with a flipped bit, and names what is wrong', async () => {
    const view = await proofView(6);
    const originals: Record<string, Buffer> = {
      note: Buffer.from(await note(8)),
      proof: Buffer.from(view.tlogProof),
      view: Buffer.from(JSON.stringify(view)),
      consistency: Buffer.from(await file(consistencyView(3, 8))),
      export: Buffer.from(await file(bundle(2, 7))),
      fsck: Buffer.from(await file(bundle(0, 8))),
    };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(originals)), fc.nat(), fc.nat(7), async (kind, position, bit) => {
        const changed = Buffer.from(originals[kind] as Buffer);
        const at = position % changed.length;
        changed[at] = (changed[at] as number) ^ (1 << bit);
        const command = kind === 'view' ? 'proof' : kind;
        const ran = await centralita(['verify', command, 'the-file', ...trusted], { 'the-file': changed });
        expect([1, 2, 3, 4]).toContain(ran.exitCode);
        expect(
          ran.out.some(
            (line) =>
              /(INVALID|GAP|MALFORMED|UNKNOWN KEY): /.test(line) &&
              /record|subject|checkpoint|consistency|source|key|the-file/.test(line),
          ),
        ).toBe(true);
      }),
      { numRuns: 600 },
    );
  });
});
