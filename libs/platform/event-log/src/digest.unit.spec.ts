import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contentLeaf, LeafCollector, leafHashes, readLeaves, recordLeaf } from './digest.js';
import { dumpLine, dumpLog, loadDump, verifyDump } from './dump.js';
import { createMemoryLog } from './memory-log.js';
import type { StoredRecord } from './port.js';

const base: StoredRecord = {
  topic: 'wa.inbound.v1',
  partition: 3,
  offset: 41n,
  key: Buffer.from('key'),
  value: Buffer.from('value'),
  headers: { b: Buffer.from('2'), a: Buffer.from('1') },
  timestamp: 1_700_000_000_000n,
};
const hex = (leaf: Buffer) => leaf.toString('hex');

const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
const nullable = fc.option(bytes, { nil: null });
const arbitrary: fc.Arbitrary<StoredRecord> = fc.record({
  topic: fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 5 }),
  partition: fc.nat(11),
  offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  key: nullable,
  value: nullable,
  headers: fc.dictionary(fc.string({ maxLength: 4 }), bytes, { maxKeys: 3, noNullPrototype: true }),
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 50n }),
});

describe('the leaf of a record', () => {
  it('is the SHA-256 of bytes that anybody can write down', () => {
    const u32 = (n: number) => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n].map((byte) => byte & 0xff));
    const sized = (text: string) => Buffer.concat([u32(text.length), Buffer.from(text)]);
    const body = [sized('key'), sized('value'), u32(2), sized('a'), sized('1'), sized('b'), sized('2')];
    const sha = (...parts: Buffer[]) =>
      createHash('sha256')
        .update(Buffer.concat([Buffer.from([0]), ...parts]))
        .digest('hex');
    const offset = Buffer.from([0, 0, 0, 0, 0, 0, 0, 41]);
    expect(hex(recordLeaf(base))).toBe(sha(sized('centralita/log-record/v1'), sized('wa.inbound.v1'), u32(3), offset, ...body));
    expect(hex(contentLeaf(base))).toBe(sha(sized('centralita/log-content/v1'), sized('wa.inbound.v1'), u32(3), ...body));
  });

  it('stays what it was when this was written', () => {
    expect(hex(recordLeaf(base))).toBe('4b833f98d43c8e03e3baab30da6c8da1028fa0ed58073983fcccfcee3459a83a');
  });

  it('differs for every other record, and is the same for the same', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (one, two) => {
        const identity = ({ timestamp: _, headers, ...rest }: StoredRecord) =>
          JSON.stringify([
            { ...rest, offset: String(rest.offset), key: rest.key?.toString('hex'), value: rest.value?.toString('hex') },
            Object.entries(headers)
              .map(([name, value]) => [name, value.toString('hex')])
              .sort(),
          ]);
        expect(hex(recordLeaf(one)) === hex(recordLeaf(two))).toBe(identity(one) === identity(two));
        expect(hex(recordLeaf(one))).toBe(hex(recordLeaf({ ...one, timestamp: 5n, headers: { ...one.headers } })));
      }),
    );
  });

  it('tells empty from absent, and one field from the next', () => {
    const variants: StoredRecord[] = [
      base,
      { ...base, key: null },
      { ...base, key: Buffer.alloc(0) },
      { ...base, value: null },
      { ...base, value: Buffer.alloc(0) },
      { ...base, key: Buffer.from('keyv'), value: Buffer.from('alue') },
      { ...base, headers: {} },
      { ...base, headers: { a: Buffer.from('1b2') } },
      { ...base, offset: 42n },
      { ...base, partition: 4 },
    ];
    expect(new Set(variants.map((variant) => hex(recordLeaf(variant)))).size).toBe(variants.length);
    expect(hex(contentLeaf({ ...base, offset: 42n }))).toBe(hex(contentLeaf(base)));
    expect(hex(contentLeaf(base))).not.toBe(hex(recordLeaf(base)));
  });
});

describe('a dump', () => {
  const logWithRecords = async () => {
    const log = createMemoryLog({ topics: [{ name: 't', partitions: 3, replicationFactor: 1 }] });
    for (let n = 0; n < 40; n++)
      await log.append([
        {
          topic: 't',
          key: n % 5 === 0 ? null : `k${n % 7}`,
          value: n % 11 === 0 ? null : Buffer.from(`v${n}`),
          headers: { n: String(n) },
        },
      ]);
    const ends = await log.admin.endOffsets('t');
    return { log, ranges: [...ends].map(([partition, to]) => ({ topic: 't', partition, from: 0n, to })).reverse() };
  };
  const dumped = async () => {
    const { log, ranges } = await logWithRecords();
    let text = '';
    const count = await dumpLog(log, ranges, async (lines) => void (text += lines));
    return { log, ranges, count, lines: text.trimEnd().split('\n') };
  };

  it('gives back every record and the leaves of the log, whatever order the ranges had', async () => {
    const { log, ranges, count, lines } = await dumped();
    expect(count).toBe(40);
    const loaded: StoredRecord[] = [];
    for await (const { record, intact } of loadDump(lines)) {
      expect(intact).toBe(true);
      loaded.push(record);
    }
    expect(loaded).toEqual(log.records('t'));
    const verdict = await verifyDump(lines);
    expect(verdict).toMatchObject({ records: 40, findings: [] });
    expect(verdict.leaves).toEqual(await readLeaves(log, ranges));
    expect(verdict.leaves.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    const records = log.records('t');
    for (const { partition, ...leaves } of verdict.leaves)
      expect(leafHashes(leaves).map(hex)).toEqual(
        records.filter((record) => record.partition === partition).map((record) => hex(recordLeaf(record))),
      );
  });

  it('round-trips any record', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (record) => {
        for await (const loaded of loadDump([dumpLine(record)])) expect(loaded).toMatchObject({ record, intact: true, line: 1 });
      }),
    );
  });

  it('names the record of which any byte was changed', async () => {
    const { lines } = await dumped();
    const at = 17;
    const original = JSON.parse(lines[at] ?? '') as Record<string, unknown>;
    const changes: Record<string, unknown>[] = [
      { topic: 'u' },
      { partition: 99 },
      { key: Buffer.from('other').toString('base64') },
      { key: null },
      { value: Buffer.from('v99').toString('base64') },
      { headers: { n: Buffer.from('99').toString('base64') } },
      { headers: {} },
      { leaf: '0'.repeat(64) },
    ];
    for (const change of changes) {
      const line = JSON.stringify({ ...original, ...change });
      if (line === lines[at]) continue;
      const { findings } = await verifyDump(lines.with(at, line));
      expect(findings[0]).toMatchObject({ line: at + 1, offset: BigInt(String(original['offset'])), problem: 'changed' });
    }
  });

  it('finds a line that is missing, moved or repeated', async () => {
    const { lines } = await dumped();
    const [a = '', b = ''] = [lines[2], lines[3]];
    const out = async (changed: string[]) => (await verifyDump(changed)).findings.map(({ problem }) => problem);
    expect(await out(lines.toSpliced(2, 1))).toEqual(['out_of_place']);
    expect(await out(lines.with(2, b).with(3, a))).toEqual(['out_of_place', 'out_of_place']);
    expect(await out(lines.toSpliced(2, 0, a))).toEqual(['out_of_place']);
  });

  it('refuses a line that is no record, by number and field, without repeating it', async () => {
    const { lines } = await dumped();
    const broken = (line: string) => verifyDump(lines.with(4, line));
    await expect(broken('{"topic":')).rejects.toMatchObject({ code: 'RECORD_INVALID', details: { line: 5 } });
    const record = JSON.parse(lines[4] ?? '') as object;
    await expect(broken(JSON.stringify({ ...record, offset: '-1' }))).rejects.toMatchObject({
      details: { line: 5, fields: ['offset'] },
    });
    await expect(broken(JSON.stringify({ ...record, value: 'YQ=' }))).rejects.toMatchObject({ details: { fields: ['value'] } });
    await expect(broken(JSON.stringify({ ...record, more: 1 }))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  });

  it('gathers the leaves of any number of records, of either kind', () => {
    const records = Array.from({ length: 300 }, (_, n) => ({ ...base, offset: BigInt(n), value: Buffer.alloc(n * 300, n) }));
    for (const leafOf of [recordLeaf, contentLeaf]) {
      const collector = new LeafCollector(leafOf);
      for (const record of records) collector.add(record);
      const [leaves] = collector.leaves();
      expect(leaves).toMatchObject({ from: 0n, to: 300n });
      expect(leafHashes(leaves ?? { hashes: Buffer.alloc(0) }).map(hex)).toEqual(records.map(leafOf).map(hex));
    }
  });

  it('does not build a tree over a hole', () => {
    const collector = new LeafCollector();
    collector.add(base);
    expect(() => collector.add({ ...base, offset: 43n })).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
  });
});
