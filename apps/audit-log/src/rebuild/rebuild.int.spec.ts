import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { createDataSource, Database } from '@centralita/event-store';
import { newSigner, startHarness, type Harness } from '../support.spec.js';
import { recordVerified } from './command.js';
import { compareStored } from './compare.js';
import { rebuild, type Rebuilt } from './rebuild.js';

let harness: Harness;
let tenants: ReturnType<Harness['tenant']>[];
const tenantOf = (origin: string): string => origin.replace('centralita/', '');

beforeAll(async () => {
  harness = await startHarness();
  tenants = [harness.tenant(), harness.tenant()];
  for (const { id, source } of tenants) {
    const subjects = (await harness.customers(id, 3)).map(({ commitment }) => commitment);
    for (let n = 0; n < 5; n += 1) {
      await source.access({ subjects: subjects.slice(0, (n % 3) + 1) }, n);
      await harness.checkpointed(id, n + 1);
    }
    await harness.checkpointed(id, 12);
  }
});
afterAll(() => harness.close());

const rebuilt = (log: MemoryLog): Promise<Rebuilt> => rebuild(log, (origin) => harness.signer.key(tenantOf(origin)));

/** A copy of the log with one record changed. */
const copyWith = async (topic: string, change: (value: string) => string, at = 0): Promise<MemoryLog> => {
  const copy = createMemoryLog();
  for (const each of ['audit.sequenced.v1', 'audit.checkpoints.v1'])
    for (const [position, { key, value }] of harness.log.records(each).entries()) {
      const text = value?.toString() ?? '';
      const changed = each === topic && position === at ? change(text) : text;
      if (changed !== '') await copy.append([{ topic: each, key: key?.toString() ?? null, value: Buffer.from(changed) }]);
    }
  return copy;
};

describe('rebuild', () => {
  it('reaches the roots of every checkpoint, from the log alone', async () => {
    const { logs, differences } = await rebuilt(harness.log);
    expect(differences).toEqual([]);
    expect(logs.map(({ origin }) => tenantOf(origin)).sort()).toEqual(tenants.map(({ id }) => id).sort());
    for (const log of logs) {
      expect(log.size).toBe(12n);
      expect(log.checkpoints).toBeGreaterThanOrEqual(2);
      const { rows } = await harness.admin.query<{ root: Buffer }>(
        `select root from checkpoint where tenant_id = $1 and size = 12`,
        [tenantOf(log.origin)],
      );
      expect(rows[0]?.root.toString('hex')).toBe(log.root);
    }
  });

  it('takes a leaf that was sent twice once', async () => {
    const log = await copyWith('audit.sequenced.v1', (value) => value, 0);
    const [first] = harness.log.records('audit.sequenced.v1');
    await log.append([{ topic: 'audit.sequenced.v1', key: first?.key?.toString() ?? null, value: first?.value ?? null }]);
    expect((await rebuilt(log)).differences).toEqual([]);
  });

  it('names the record whose leaf was changed, removed or replaced', async () => {
    const changed = await copyWith('audit.sequenced.v1', (value) => value.replace('message_text', 'media'), 3);
    const first = (await rebuilt(changed)).differences[0];
    expect(first).toMatchObject({ leafIndex: '3' });
    expect(first?.text).toMatch(/^record [0-9a-f-]{36} \(leaf 3\): hash value doesn't match/);

    const removed = await copyWith('audit.sequenced.v1', () => '', 3);
    expect((await rebuilt(removed)).differences[0]?.text).toContain('leaves 3-3 are missing before it');

    const unreadable = await copyWith('audit.sequenced.v1', (value) => value.replace('{', '['), 3);
    expect((await rebuilt(unreadable)).differences[0]?.text).toMatch(/^audit\.sequenced\.v1\/\d+\/\d+ is not a leaf/);

    const moved = await copyWith(
      'audit.sequenced.v1',
      (value) => value.replace('"leafKind":"record"', '"leafKind":"erasure"'),
      0,
    );
    expect((await rebuilt(moved)).differences[0]?.text).toContain('the leaf and its place disagree');
  });

  it('refuses a checkpoint that was changed, or signed by somebody else', async () => {
    const digit = (value: string): string =>
      value.replace(/"root":"(.)/, (_, first: string) => `"root":"${first === 'a' ? 'b' : 'a'}`);
    const changed = await copyWith('audit.checkpoints.v1', digit);
    expect((await rebuilt(changed)).differences[0]?.text).toMatch(/^checkpoint .*: the note and its event disagree/);
    const signed = await copyWith('audit.checkpoints.v1', (value) => value.replace(/\\n\\n— (\S+) /, '\\n\\n— x$1 '));
    expect((await rebuilt(signed)).differences[0]?.text).toContain("signature doesn't match");
    const stranger = newSigner();
    const foreign = await rebuild(harness.log, (origin) => stranger.key(tenantOf(origin)));
    expect(foreign.differences.length).toBe(harness.log.records('audit.checkpoints.v1').length);
  });

  it('sees a checkpoint over leaves that are not on the log', async () => {
    const last = harness.log.records('audit.sequenced.v1').length - 1;
    const short = await copyWith('audit.sequenced.v1', () => '', last);
    expect((await rebuilt(short)).differences[0]?.text).toContain('only 11 leaves are on the log');
  });

  it('names the stored leaf that a database administrator changed', async () => {
    const db = new Database(createDataSource({ url: harness.database.appUrl, poolSize: 1 }));
    try {
      const [log] = (await rebuilt(harness.log)).logs;
      if (!log) throw new Error('no log');
      const tenantId = tenantOf(log.origin);
      expect(await compareStored(db, tenantId, log)).toEqual([]);
      await harness.admin.query(
        `update leaf set leaf_text = replace(leaf_text, 'disclosed', 'denied') where tenant_id = $1 and leaf_index = 4`,
        [tenantId],
      );
      await harness.admin.query(`delete from leaf where tenant_id = $1 and leaf_index = 6`, [tenantId]);
      expect((await compareStored(db, tenantId, log)).map(({ text }) => text)).toEqual([
        'leaf 4: the database holds another leaf than the log',
        'leaf 6: not in the database',
      ]);
      // and what came of it is an event
      await recordVerified(db, [log], 2);
      const { rows } = await harness.admin.query<{ data: object }>(`select data from events where type = 'ledger.verified.v1'`);
      expect(rows).toMatchObject([{ data: { equal: false, logs: 1, differences: 2, checkpoints: String(log.checkpoints) } }]);
    } finally {
      await db.close();
    }
  });
});
