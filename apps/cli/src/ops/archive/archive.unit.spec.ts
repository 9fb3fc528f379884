import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryLog, readLeaves, type MemoryLog, type OffsetRange, type TopicSpec } from '@centralita/event-log';
import { FolderStore, type ObjectStore } from '@centralita/object-store';
import { rootOf, toHex } from '@centralita/domain-ledger';
import fc from 'fast-check';
import { sha256 } from '../../verify/crypto.js';
import { archiveLagSeconds, newestManifest, PartitionTree } from './manifest.js';
import { appendable, restoreArchive } from './restore.js';
import { runArchive, type RunOptions } from './run.js';
import { ArchiveSigner, trustedKeys } from './signing.js';
import { openArchive, verifyArchive, type ArchiveFinding } from './verify.js';

const topics: TopicSpec[] = ['wa.inbound.v1', 'billing.events.v1'].map((name) => ({
  name,
  partitions: 3,
  replicationFactor: 1,
  config: { 'retention.ms': '-1', 'min.insync.replicas': '1' },
}));
const names = topics.map(({ name }) => name);
const newSigner = (): ArchiveSigner =>
  new ArchiveSigner(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }));
const signer = newSigner();

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'archive-'));
});
afterAll(() => rm(root, { recursive: true }));

type Scene = { log: MemoryLog; folder: string; store: FolderStore; options: RunOptions };
const scene = async (): Promise<Scene> => {
  const log = createMemoryLog({ topics });
  const folder = await mkdtemp(join(root, 'store-'));
  const store = new FolderStore(folder);
  return { log, folder, store, options: { log, store, signer, topics: names, limits: { bytes: 1_000_000, records: 4 } } };
};
const write = async (log: MemoryLog, count: number, topic = 'wa.inbound.v1'): Promise<void> => {
  for (let n = 0; n < count; n++)
    await log.append([
      {
        topic,
        key: `key-${n % 7}`,
        value: n % 5 === 0 ? null : Buffer.from([n, 0xff, 0]),
        headers: { 'content-type': 'x', n: String(n) },
      },
    ]);
};
const rangesOf = async (log: MemoryLog): Promise<OffsetRange[]> =>
  (
    await Promise.all(
      names.map(async (topic) =>
        [...(await log.admin.endOffsets(topic))].map(([partition, to]) => ({ topic, partition, from: 0n, to })),
      ),
    )
  ).flat();
const rootsOf = async (log: MemoryLog): Promise<string[]> =>
  (await readLeaves(log, await rangesOf(log))).map(
    ({ topic, partition, hashes }) => `${topic}/${partition} ${hashes.toString('hex')}`,
  );
const check = async (store: ObjectStore, key = signer): Promise<readonly ArchiveFinding[]> =>
  (await verifyArchive(store, await openArchive(store, [key.key]))).findings;
const files = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
const restore = async (store: FolderStore, into: MemoryLog) =>
  restoreArchive({
    log: into,
    store,
    archive: await openArchive(store, [signer.key]),
    replicationFactor: 1,
    minInsyncReplicas: 1,
  });

describe('the archive', () => {
  it('grows run by run, and a restore of it is the same log, record by record', async () => {
    const { log, store, options } = await scene();
    await write(log, 30);
    const first = await runArchive(options);
    await write(log, 11);
    await write(log, 5, 'billing.events.v1');
    const second = await runArchive(options);
    const third = await runArchive(options);
    expect([first.records, second.records, third.records]).toEqual([30, 16, 0]);
    expect(third.logDigest).toBe(second.logDigest);
    expect(await check(store)).toEqual([]);

    const other = createMemoryLog({ topics: [] });
    expect(await restore(store, other)).toEqual({ records: 46, logDigest: second.logDigest });
    expect(await rootsOf(other)).toEqual(await rootsOf(log));
    expect(other.records('wa.inbound.v1').map(({ headers, value }) => [headers, value])).toEqual(
      log.records('wa.inbound.v1').map(({ headers, value }) => [headers, value]),
    );
    // and the restored log is gone on with in the same archive
    await write(other, 2);
    expect((await runArchive({ ...options, log: other })).records).toBe(2);
    expect(await check(store)).toEqual([]);
  });

  it('has no hole and nothing twice after a run that was killed at any put', async () => {
    const { log, folder, options } = await scene();
    await write(log, 40);
    const store = new FolderStore(folder);
    const killed = new Error('killed');
    let runs = 0;
    for (let died = true; died; runs++) {
      // given a process that dies at its fourth put, before or after it
      let puts = 0;
      const dying: ObjectStore = {
        get: (key) => store.get(key),
        head: (key) => store.head(key),
        list: (prefix, after) => store.list(prefix, after),
        put: async (key, bytes) => {
          if (++puts === 4 && runs % 2 === 0) throw killed;
          await store.put(key, bytes);
          if (puts === 4) throw killed;
        },
        putIfAbsent: async (key, bytes) => store.putIfAbsent(key, bytes),
      };
      died = await runArchive({ ...options, store: dying, segmentsPerManifest: 3 }).then(
        () => false,
        (error: unknown) => error === killed,
      );
      await write(log, 1);
    }
    expect(runs).toBeGreaterThan(2);
    await runArchive(options);
    expect(await check(store)).toEqual([]);
    const other = createMemoryLog({ topics: [] });
    await restore(store, other);
    expect(await rootsOf(other)).toEqual(await rootsOf(log));
  });

  it('lets one of two runs win', async () => {
    const { log, store, options } = await scene();
    await write(log, 20);
    const later = { ...options, clock: () => new Date(Date.now() + 1) };
    const outcomes = await Promise.allSettled([runArchive(options), runArchive(later)]);
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(lost).toMatchObject([{ code: 'VERSION_CONFLICT' }]);
    expect(await check(store)).toEqual([]);
  });

  it('names what was changed, whichever byte it was', async () => {
    const { log, folder, store, options } = await scene();
    await write(log, 10);
    await runArchive(options);
    const all = await files(folder);
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, by) => {
        const path = all[which] as string;
        const bytes = await readFile(path);
        const changed = Buffer.from(bytes);
        changed[where % bytes.length] = (changed[where % bytes.length] as number) ^ by;
        await writeFile(path, changed);
        const name = path.slice(folder.length + 1);
        const said = await check(store).then(
          (findings) => findings.map(({ where: place, what }) => `${place} ${what}`).join(),
          (error: Error) => error.message,
        );
        await writeFile(path, bytes);
        expect(said).toContain(name);
      }),
      { numRuns: 60 },
    );
    expect(await check(store)).toEqual([]);
  });

  it('names the record when somebody sealed another one in its place, and the segment that is gone or cut', async () => {
    const { log, folder, store, options } = await scene();
    await write(log, 10);
    await runArchive(options);
    const segment = (await files(folder)).find((path) => path.includes('/segments/')) as string;
    const key = segment.slice(folder.length + 1);
    const bytes = await readFile(segment);
    const text = gunzipSync(bytes).toString();
    const line = JSON.parse(text.split('\n')[0] as string) as { value: string; topic: string; partition: number; offset: string };
    await writeFile(segment, gzipSync(text.replace('"n":"', '"n":"A')));
    expect(await check(store)).toEqual(expect.arrayContaining([{ where: key, what: expect.stringContaining('damaged') }]));
    await writeFile(segment, gzipSync(text.replace(JSON.stringify(line.value), '"AAAA"')));
    expect(await check(store)).toContainEqual({
      where: `${line.topic}/${line.partition}/${line.offset}`,
      what: expect.stringContaining('was changed'),
    });
    await writeFile(segment, bytes);
    await truncate(segment, bytes.length - 5);
    expect(await check(store)).toMatchObject([{ where: key }]);
    await unlink(segment);
    expect(await check(store)).toMatchObject([{ where: key, what: 'is missing' }]);
  });

  it('is refused when a manifest is missing, when nobody who is trusted signed it, and when there is none', async () => {
    const { log, folder, store, options } = await scene();
    await expect(check(store)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (let n = 0; n < 3; n++) {
      await write(log, 3);
      await runArchive(options);
    }
    await expect(check(store, newSigner())).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    await expect(runArchive({ ...options, signer: newSigner() })).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    const next = newSigner();
    await write(log, 1);
    await runArchive({ ...options, signer: next, trusted: trustedKeys(`${signer.verifier}\n`) });
    expect(
      (await verifyArchive(store, await openArchive(store, trustedKeys(`${signer.verifier} ${next.verifier}`)))).findings,
    ).toEqual([]);
    await unlink((await files(folder))[1] as string);
    await expect(openArchive(store, [signer.key, next.key])).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('a manifest is missing'),
    });
  });

  it('does not go on from a log that is not the one that was sealed', async () => {
    const { log, options } = await scene();
    await write(log, 9);
    await runArchive(options);
    const shorter = createMemoryLog({ topics });
    await write(shorter, 3);
    await expect(runArchive({ ...options, log: shorter })).rejects.toMatchObject({ code: 'LOG_BEHIND_STORE' });
    const other = createMemoryLog({ topics });
    await write(other, 1, 'billing.events.v1');
    for (let n = 0; n < 9; n++)
      await other.append([{ topic: 'wa.inbound.v1', key: `key-${n % 7}`, value: Buffer.from('other') }]);
    await expect(runArchive({ ...options, log: other })).rejects.toMatchObject({
      code: 'LOG_BEHIND_STORE',
      message: expect.stringContaining('another log'),
    });
  });

  it('is restored into an empty cluster only', async () => {
    const { log, store, options } = await scene();
    await write(log, 9);
    await runArchive(options);
    const used = createMemoryLog({ topics });
    await write(used, 1, 'billing.events.v1');
    await expect(restore(store, used)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { topics: ['billing.events.v1'] },
    });
    expect(used.records('wa.inbound.v1')).toEqual([]);
  });

  it('says what cannot be put back where it stood', () => {
    const record = { topic: 't', partition: 0, offset: 4n, timestamp: 0n, key: Buffer.from('k'), value: null, headers: {} };
    expect(appendable(record, 1)).toEqual({ topic: 't', key: 'k', value: null, headers: {} });
    for (const wrong of [
      { ...record, key: null },
      { ...record, key: Buffer.from([0xff]) },
      { ...record, headers: { h: Buffer.from([0xff]) } },
      { ...record, partition: 1 },
    ])
      expect(() => appendable(wrong, 1)).toThrow(/^record t\/[01]\/4 /);
  });

  it('lags by the time since everything that was on the log was sealed', async () => {
    const { log, store, options } = await scene();
    const at = new Date('2026-11-23T10:00:00.000Z');
    expect(await archiveLagSeconds(store, at)).toBeNull();
    await write(log, 1);
    await runArchive({ ...options, clock: () => at });
    expect(await archiveLagSeconds(store, new Date(at.getTime() + 90_000))).toBe(90);
    // a run that has not come to its end has not caught up
    await write(log, 30);
    const late = new Date(at.getTime() + 60_000);
    let manifests = 0;
    const dying: ObjectStore = {
      get: (key) => store.get(key),
      head: (key) => store.head(key),
      list: (folder, after) => store.list(folder, after),
      put: (key, bytes) => (manifests > 0 ? Promise.reject(new Error('killed')) : store.put(key, bytes)),
      putIfAbsent: (key, bytes) => ((manifests += 1), store.putIfAbsent(key, bytes)),
    };
    await expect(runArchive({ ...options, store: dying, clock: () => late, segmentsPerManifest: 1 })).rejects.toThrow('killed');
    expect((await newestManifest(store))?.manifest.sequence).toBe(2);
    expect(await archiveLagSeconds(store, new Date(at.getTime() + 90_000))).toBe(90);
  });
});

describe('the tree of a partition', () => {
  it('has the root of RFC 6962, wherever it was put down and taken up again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 12 }), (steps) => {
        let tree = PartitionTree.empty('t', 0);
        const leaves: Uint8Array[] = [];
        for (const step of steps) {
          for (let n = 0; n < step; n++) {
            const leaf = sha256(Buffer.from(String(leaves.length)));
            leaves.push(leaf);
            tree.append(leaf);
          }
          tree = PartitionTree.of(tree.state());
        }
        expect(tree.state()).toMatchObject({ to: String(leaves.length), root: toHex(rootOf(sha256, leaves)) });
      }),
    );
  });
});
