import { randomUUID } from 'node:crypto';
import { createDataSource, Database } from '@centralita/event-store';
import { until } from '@centralita/testing-engines';
import { takeIn } from '../intake/handler.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeEvent, isType, type EventData, type ExportBundle, type Leaf } from '@centralita/contracts';
import { fsck, verdictOf } from '@centralita/domain-ledger';
import { sha256, verifyEd25519 } from '../signing/signer.js';
import { startHarness, type Harness } from '../support.spec.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

/** The leaves of a tenant in the order of the log, and the last checkpoint on it. */
const onTheLog = (tenantId: string): { leaves: EventData<'audit.leaf.sequenced.v1'>[]; sizes: bigint[] } => {
  const leaves: EventData<'audit.leaf.sequenced.v1'>[] = [];
  const sizes: bigint[] = [];
  for (const topic of ['audit.sequenced.v1', 'audit.checkpoints.v1'])
    for (const record of harness.log.records(topic)) {
      const decoded = decodeEvent(record.value);
      if (!('event' in decoded) || decoded.event.tenantid !== tenantId) continue;
      if (isType(decoded.event, 'audit.leaf.sequenced.v1')) leaves.push(decoded.event.data);
      if (isType(decoded.event, 'audit.checkpoint.published.v1')) sizes.push(BigInt(decoded.event.data.size));
    }
  return { leaves, sizes };
};
const leafOf = (event: EventData<'audit.leaf.sequenced.v1'>): Leaf => JSON.parse(event.leaf) as Leaf;

describe('sequencer', () => {
  it('gives every record its place: lists in light leaves, customers numbered, sources gapless, all on the log before it is signed', async () => {
    const { id, source, officer } = harness.tenant();
    const people = await harness.customers(id, 3);
    const [a, b, c] = people.map(({ commitment }) => commitment) as [string, string, string];
    const sent = [
      await source.access({ subjects: [a] }, 0),
      await source.access({ subjects: [a, b, c] }, 1),
      await source.access({ subjects: [b] }, 0),
      await source.access({ subjects: [], resultCount: 0 }, 2),
    ];
    const size = await harness.checkpointed(id, 7);
    expect(size).toBe(7n);

    const { leaves, sizes } = onTheLog(id);
    expect(leaves.map(({ leafIndex }) => Number(leafIndex))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const records = leaves.filter(({ leafKind }) => leafKind === 'record');
    expect(new Set(records.map(({ recordId }) => recordId))).toEqual(new Set(sent.map(({ recordId }) => recordId)));
    expect(
      leaves
        .filter(({ leafKind }) => leafKind === 'subject')
        .map(leafOf)
        .map(({ subject }) => subject),
    ).toEqual([a, b, c].sort());
    for (const [subject, count] of [
      [a, 2],
      [b, 2],
      [c, 1],
    ] as const)
      expect(
        leaves
          .map(leafOf)
          .filter((leaf) => leaf.subject === subject)
          .map(({ subjectSeq }) => subjectSeq),
      ).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    expect(sizes.every((signed) => signed <= BigInt(leaves.length))).toBe(true);

    // Two independent ways: the export, verified by the auditor's own code.
    const answer = await harness.service.call(officer, 'GET', '/v1/exports');
    const report = await fsck([answer.body as ExportBundle], {
      hash: sha256,
      verify: verifyEd25519,
      keys: [harness.signer.key(id)],
    });
    expect(report.findings).toEqual([]);
    expect(verdictOf(report.findings)).toBe('ok');
    expect(report.records).toEqual({ valid: 7, total: 7 });
    expect(report.subjects).toEqual({ complete: 3, total: 3 });
  });

  it('keeps the logs of two tenants apart', async () => {
    const [one, two] = [harness.tenant(), harness.tenant()];
    await one.source.access({ subjects: [] });
    await two.source.access({ subjects: [] });
    await two.source.access({ subjects: [] });
    expect(await harness.checkpointed(one.id, 1)).toBe(1n);
    expect(await harness.checkpointed(two.id, 2)).toBe(2n);
    expect(
      onTheLog(one.id)
        .leaves.map(leafOf)
        .every((leaf) => leaf.tenant === one.id),
    ).toBe(true);
  });

  it('takes a record that comes twice once', async () => {
    const { id, source } = harness.tenant();
    await source.access({ subjects: [] });
    const first = harness.log.records('access.events.v1').find(({ value }) => value?.toString().includes(id));
    await harness.log.append([{ topic: 'access.events.v1', key: source.lane(0), value: first?.value ?? null }]);
    await source.access({ subjects: [] });
    expect(await harness.checkpointed(id, 2)).toBe(2n);
    expect(
      onTheLog(id)
        .leaves.map(leafOf)
        .map(({ sourceNumber }) => sourceNumber),
    ).toEqual(['1', '2']);
  });

  it('does not pass over a number that is missing: it is a finding', async () => {
    const { id, source } = harness.tenant();
    await source.access({ subjects: [] });
    await harness.checkpointed(id, 1);
    // A row that somebody took out of the queue before it was sequenced.
    await harness.loseIntake(
      { id },
      () => source.access({ subjects: [] }),
      () => source.access({ subjects: [] }),
    );
    expect(await harness.checkpointed(id, 2)).toBe(2n);
    const { rows } = await harness.admin.query(
      `select kind, lane, number_from, number_to, leaf_index from finding where tenant_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ kind: 'source_gap', lane: source.lane(0), number_from: '2', number_to: '2', leaf_index: '1' }]);
    expect(
      onTheLog(id)
        .leaves.map(leafOf)
        .map(({ sourceNumber }) => sourceNumber),
    ).toEqual(['1', '3']);
    const metric = await harness.service.metrics.registry.getSingleMetric('audit_verify_failures_total')?.get();
    expect(metric?.values.map(({ value, labels }) => [labels['kind'], value])).toContainEqual(['source_gap', 1]);
  });

  it('refuses a number that a source has used before, whether its record still waits or stands in the log', async () => {
    const { id, source } = harness.tenant();
    const record = await source.access({ subjects: [] });
    await harness.checkpointed(id, 1);
    const again = { lane: source.lane(0), number: 1n, kind: 'record' as const, eventId: randomUUID(), record };
    const db = new Database(createDataSource({ url: harness.database.appUrl, poolSize: 1 }));
    try {
      await expect(db.withTenant(id, (tx) => takeIn(tx, [again]))).rejects.toMatchObject({ code: 'VERSION_REUSED' });
      const twice = [2n, 2n].map((number) => ({ ...again, number, eventId: randomUUID() }));
      await expect(db.withTenant(id, (tx) => takeIn(tx, twice))).rejects.toMatchObject({ code: 'VERSION_REUSED' });
    } finally {
      await db.close();
    }
  });

  it('names a source whose manifest is not the root of its subjects', async () => {
    const { id, source } = harness.tenant();
    const [a, b] = (await harness.customers(id, 2)).map(({ commitment }) => commitment) as [string, string];
    await source.access({ subjects: [a, b], manifest: 'f'.repeat(64) });
    await harness.checkpointed(id, 3);
    const { rows } = await harness.admin.query(`select kind from finding where tenant_id = $1`, [id]);
    expect(rows).toEqual([{ kind: 'manifest_mismatch' }]);
  });

  it('goes on in another process when the first one stops, and the tree goes on with it', async () => {
    const { id, source, officer } = harness.tenant();
    const another = await harness.startAnother();
    for (let n = 0; n < 20; n += 1) await source.access({ subjects: [] }, n);
    const before = await harness.checkpointed(id, 20);
    await another.close();
    for (let n = 0; n < 20; n += 1) await source.access({ subjects: [] }, n);
    const after = await harness.checkpointed(id, 40);
    const answer = await harness.service.call(officer, 'GET', `/v1/consistency?from=${before}&to=${after}`);
    expect(answer.status).toBe(200);
    const { leaves } = onTheLog(id);
    expect(leaves.slice(0, 40).map(({ leafIndex }) => Number(leafIndex))).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});

describe('a database that is away', () => {
  it('is no finding against a log, however often it interrupts the sequencer', async () => {
    const { id, source } = harness.tenant();
    await source.access({ subjects: [] });
    await harness.checkpointed(id, 1);
    const interrupt = async (): Promise<boolean> => {
      const { rowCount } = await harness.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query ~ 'domain_head'`,
      );
      return (rowCount ?? 0) > 0;
    };
    const client = await harness.admin.connect();
    try {
      await client.query('begin');
      // The lease stands here, so in each of its passes the sequencer waits, and is cut off.
      await client.query('lock table domain_head in access exclusive mode');
      await source.access({ subjects: [] });
      for (let cut = 0; cut < 3; cut += 1) await until(interrupt);
      await client.query('commit');
    } finally {
      client.release();
    }
    await harness.checkpointed(id, 2);
    const metric = await harness.service.metrics.registry.getSingleMetric('audit_verify_failures_total')?.get();
    expect(metric?.values.map(({ labels }) => labels['kind'])).not.toContain('sequencer_stopped');
  });
});

describe('verified reasons', () => {
  const task = (conversationId: string, subjectId: string): { taskId: string; conversationId: string; subjectId: string } => ({
    taskId: conversationId,
    conversationId,
    subjectId,
  });

  it('follow from what routing had decided, also when its events arrive after the read', async () => {
    const { id, source } = harness.tenant();
    const [person] = await harness.customers(id, 1);
    if (!person) throw new Error('no customer');
    const [agent, conversation, queueId] = [randomUUID(), randomUUID(), randomUUID()];
    const reading = {
      actor: { id: agent, role: 'agent' as const, session: 's' },
      resource: { type: 'conversation', id: conversation },
      subjects: [person.commitment],
    };
    const reason = (code: 'ASSIGNED_CONVERSATION' | 'QUEUE_TRIAGE'): { code: typeof code; reference: null; text: null } => ({
      code,
      reference: null,
      text: null,
    });

    await source.access({ ...reading, reason: reason('ASSIGNED_CONVERSATION') });
    const assigned = await source.send('routing.events.v1', person.id, 'task.assigned.v1', {
      ...task(conversation, person.id),
      reservationId: randomUUID(),
      agentId: agent,
      decisionId: randomUUID(),
      queueId,
      assignedAt: new Date(Date.now() - 10_000).toISOString(),
    });
    await harness.checkpointed(id, 1);
    const defined = await source.send('routing.events.v1', agent, 'agent.defined.v1', {
      agentId: agent,
      label: 'Agent 1',
      skills: [],
      queueIds: [queueId],
      capacity: 3,
    });
    const queued = await source.send('routing.events.v1', person.id, 'task.queued.v1', {
      ...task(conversation, person.id),
      queueId,
      requiredSkills: [],
      language: null,
      priority: 1,
      windowExpiresAt: null,
      targetAgentId: null,
      queuedAt: new Date().toISOString(),
      cause: 'opened',
    });
    await source.access({ ...reading, reason: reason('QUEUE_TRIAGE') }, 1);
    const completed = await source.send('routing.events.v1', person.id, 'task.completed.v1', {
      ...task(conversation, person.id),
      agentId: agent,
      completedAt: new Date().toISOString(),
    });
    // A read an hour later would be confirmed by the assignment for as long as its end is not known here.
    await until(
      async () => (await harness.admin.query('select 1 from assignment where ended_event = $1', [completed.id])).rowCount === 1,
    );
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await source.access({ ...reading, reason: reason('ASSIGNED_CONVERSATION'), occurredAt: later }, 2);
    await harness.checkpointed(id, 3);

    const leaves = onTheLog(id).leaves.map(leafOf);
    expect(leaves.map(({ verified, basis, reason: { code } }) => ({ code, verified, basis }))).toEqual(
      expect.arrayContaining([
        { code: 'ASSIGNED_CONVERSATION', verified: 'confirmed', basis: [assigned.id] },
        { code: 'QUEUE_TRIAGE', verified: 'confirmed', basis: [defined.id, queued.id] },
        { code: 'ASSIGNED_CONVERSATION', verified: 'contradicted', basis: [completed.id] },
      ]),
    );
  });
});

describe('verdicts on customers of whom something is parked', () => {
  it('accuse nobody: the decision that allowed the look may be what waits', async () => {
    const { id, source } = harness.tenant();
    const [person, other] = await harness.customers(id, 2);
    if (!person || !other) throw new Error('no customer');
    const actor = { id: randomUUID(), role: 'agent' as const, session: 's' };
    // given: decisions about the customer that wait, because one before them is missing
    const decided = {
      taskId: randomUUID(),
      conversationId: randomUUID(),
      subjectId: person.id,
      reservationId: randomUUID(),
      agentId: actor.id,
      decisionId: randomUUID(),
      queueId: null,
      assignedAt: new Date().toISOString(),
    };
    await source.send('routing.events.v1', person.id, 'task.assigned.v1', decided, { skip: 1 });
    await until(async () => (await harness.service.parked?.list())?.some(({ key }) => key === person.id));
    // and a conversation of which it is known that it is a colleague's
    const theirs = { ...decided, taskId: randomUUID(), conversationId: randomUUID(), subjectId: other.id, agentId: randomUUID() };
    await source.send('routing.events.v1', other.id, 'task.assigned.v1', theirs);
    const reason = { code: 'ASSIGNED_CONVERSATION' as const, reference: null, text: null };
    const looks = [
      { commitment: person.commitment, conversationId: decided.conversationId },
      { commitment: other.commitment, conversationId: theirs.conversationId },
    ];
    for (const [number, { commitment, conversationId }] of looks.entries())
      await source.access(
        { actor, resource: { type: 'conversation', id: conversationId }, subjects: [commitment], reason },
        number,
      );
    await harness.checkpointed(id, 2);
    const verdicts = new Map(
      onTheLog(id)
        .leaves.map(leafOf)
        .map(({ subject, verified }) => [subject, verified]),
    );
    expect(verdicts).toEqual(
      new Map([
        [person.commitment, 'unverifiable'],
        [other.commitment, 'contradicted'],
      ]),
    );
  });
});

describe('erasure', () => {
  it('stands in the ledger of each customer, under the commitment that was taken before the key went', async () => {
    const { id, source, officer } = harness.tenant();
    const people = await harness.customers(id, 2);
    const [first] = people;
    if (!first) throw new Error('no customer');
    await source.access({ subjects: [first.commitment] });
    const erasure = { erasureId: randomUUID(), contactId: randomUUID(), subjectIds: people.map((person) => person.id) };
    await source.send('conversation.events.v1', first.id, 'subject.erasure.started.v1', {
      ...erasure,
      startedAt: new Date().toISOString(),
    });
    await source.send('conversation.events.v1', first.id, 'subject.erased.v1', {
      ...erasure,
      erasedAt: new Date().toISOString(),
    });
    await harness.checkpointed(id, 3);
    const leaves = onTheLog(id).leaves.map(leafOf);
    const erased = leaves.filter(({ kind }) => kind === 'erasure');
    expect(erased.map(({ subject }) => subject).sort()).toEqual(people.map(({ commitment }) => commitment).sort());
    expect(erased.find(({ subject }) => subject === first.commitment)?.subjectSeq).toBe(2);
    for (const person of people) await harness.keyring.setState(id, person.id, 'destroyed');
    expect(JSON.stringify(leaves)).not.toContain(first.id);
    const proof = await harness.service.call(officer, 'GET', '/v1/records/0/proof');
    expect(proof.status).toBe(200);
  });
});
