import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureTopics, openEventLog, topicSpecs, type EventLog } from '@centralita/event-log';
import { startKafka, type RunningKafka } from '@centralita/testing-engines';
import { centralita, type Ran } from '../../runner.spec.js';

describe('centralita ops archive and restore, from one cluster into another', () => {
  let kafkas: RunningKafka[];
  let logs: EventLog[];
  let folder: string;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
  const ops = (
    argv: string[],
    brokers: string,
    env: Record<string, string> = { ARCHIVE_SIGNING_KEY_FILE: 'key.pem' },
  ): Promise<Ran> =>
    centralita(
      ['ops', ...argv],
      { 'key.pem': pem },
      { env: { KAFKA_BROKERS: brokers, ARCHIVE_DIR: join(folder, 'archive'), ...env } },
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archive-'));
    kafkas = await Promise.all(['from', 'to'].map((name) => startKafka({ dataDir: join(folder, name), heapMb: 256 })));
    logs = await Promise.all(kafkas.map(({ brokers }) => openEventLog({ brokers, clientId: 'archive-spec' })));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await Promise.all(kafkas.map((kafka) => kafka.stop()));
    await rm(folder, { recursive: true });
  });

  it('gives the same digests, and says on both logs what was done', async () => {
    const [source, target] = logs as [EventLog, EventLog];
    const [from, to] = kafkas.map(({ brokers }) => brokers.join(',')) as [string, string];
    await ensureTopics(source.admin, { replicationFactor: 1, minInsyncReplicas: 1 });
    const records = Array.from({ length: 2_000 }, (_, n) => ({
      topic: topicSpecs[n % topicSpecs.length]?.name ?? '',
      key: `key-${n % 97}`,
      value: Buffer.from(`value ${n}`.repeat(1 + (n % 40))),
      headers: { 'content-type': 'text/plain' },
    }));
    await source.append(records);

    const sealed = await ops(['archive', 'run', '--json'], from);
    expect([sealed.exitCode, sealed.err]).toEqual([0, []]);
    const run = JSON.parse(sealed.out[0] ?? '') as { records: number; logDigest: string; verifierKey: string };
    expect(run.records).toBe(2_000);
    const verified = await ops(['archive', 'verify'], '', { ARCHIVE_SIGNING_KEY_FILE: 'key.pem' });
    expect([verified.exitCode, verified.out.at(-1)]).toEqual([0, 'result: OK']);

    const one = ['--replication-factor', '1', '--min-insync', '1'];
    const restored = await ops(['restore', '--json', ...one], to);
    expect([restored.exitCode, restored.err]).toEqual([0, []]);
    expect(JSON.parse(restored.out[0] ?? '')).toMatchObject({ records: 2_000, logDigest: run.logDigest });
    const again = await ops(['restore', ...one], to);
    expect([again.exitCode, again.err[0]]).toEqual([2, expect.stringContaining('this cluster is not empty')]);

    const types = async (log: EventLog): Promise<string[]> => {
      const found: string[] = [];
      const ranges = [...(await log.admin.endOffsets('operations.events.v1'))].map(([partition, end]) => ({
        topic: 'operations.events.v1',
        partition,
        from: 0n,
        to: end,
      }));
      await log.read(ranges, async (batch) => {
        for (const { value } of batch) {
          const text = value?.toString() ?? '';
          if (text.startsWith('{')) found.push((JSON.parse(text) as { type: string }).type);
        }
      });
      return found;
    };
    expect(await types(source)).toEqual(['archive.sealed.v1']);
    expect(await types(target)).toEqual(['archive.restored.v1']);
    // and the restored cluster goes on in the same archive
    const next = await ops(['archive', 'run', '--json'], to);
    expect(JSON.parse(next.out[0] ?? '')).toMatchObject({ records: 1 });
  }, 120_000);

  it('says all that is wrong with its settings, and what it cannot reach', async () => {
    const wrong = await centralita(['ops', 'archive', 'run'], {}, { env: {} });
    expect([wrong.exitCode, wrong.err[0]]).toEqual([78, expect.stringContaining('ARCHIVE_DIR or ARCHIVE_S3_BUCKET is required')]);
    const keyless = await ops(['archive', 'run'], '127.0.0.1:1', { ARCHIVE_SIGNING_KEY_FILE: 'none.pem' });
    expect([keyless.exitCode, keyless.err]).toEqual([78, ['error: ARCHIVE_SIGNING_KEY_FILE cannot be read: ENOENT']]);
    expect((await ops(['archive', 'verify'], '', {})).err).toEqual(['error: ARCHIVE_VERIFIER_KEYS_FILE is required']);
  });
});
