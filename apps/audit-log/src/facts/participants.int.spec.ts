import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeEvent, isType, Leaf } from '@centralita/contracts';
import { until } from '@centralita/testing-engines';
import { startHarness, type Harness } from '../support.spec.js';
import { Participants } from './participants.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

type Person = { readonly id: string; readonly commitment: string };

describe(Participants.name, () => {
  const message = async (tenantId: string, writer: Person, owner: Person, conversationId: string) => {
    const keys = await harness.keyring.sealer(tenantId, [writer.id]);
    return {
      conversationId,
      subjectId: owner.id,
      messageRef: randomBytes(16).toString('base64url'),
      direction: 'in' as const,
      messageType: 'text',
      participant: '-',
      effectiveAt: new Date().toISOString(),
      contextRef: null,
      media: null,
      sealed: keys.seal({ id: randomUUID(), subject: writer.id, schema: 'wa.message', plaintext: { text: 'hello' } }),
    };
  };
  const assignment = (owner: Person, conversationId: string, agentId: string) => ({
    taskId: conversationId,
    conversationId,
    subjectId: owner.id,
    reservationId: randomUUID(),
    agentId,
    decisionId: randomUUID(),
    queueId: null,
    assignedAt: new Date(Date.now() - 10_000).toISOString(),
  });
  const verdicts = (tenantId: string): Map<string, { verified: string; basis: readonly string[] }> =>
    new Map(
      harness.log
        .records('audit.sequenced.v1')
        .map(({ value }) => decodeEvent(value))
        .flatMap((decoded) => ('event' in decoded && decoded.event.tenantid === tenantId ? [decoded.event] : []))
        .flatMap((event) => (isType(event, 'audit.leaf.sequenced.v1') ? [Leaf.parse(JSON.parse(event.data.leaf))] : []))
        .filter(({ kind }) => kind === 'record')
        .map(({ recordId, verified, basis }) => [recordId, { verified, basis }]),
    );

  it('lets a list show who wrote in a group, whosever their own conversation is, also when the message arrives after the look', async () => {
    // given a group of the agent's, and a participant whose own conversation is a colleague's
    const { id, source } = harness.tenant();
    const [group, writer, reader] = (await harness.customers(id, 3)) as [Person, Person, Person];
    const [agentId, colleagueId] = [randomUUID(), randomUUID()];
    const [ofGroup, ofWriter, ofReader] = [randomUUID(), randomUUID(), randomUUID()];
    const assigned = await source.send('routing.events.v1', group.id, 'task.assigned.v1', assignment(group, ofGroup, agentId));
    const theirs: string[] = [];
    for (const [person, conversationId] of [
      [writer, ofWriter],
      [reader, ofReader],
    ] as const)
      theirs.push(
        (await source.send('routing.events.v1', person.id, 'task.assigned.v1', assignment(person, conversationId, colleagueId)))
          .id,
      );
    await source.send(
      'conversation.events.v1',
      reader.id,
      'conversation.message.recorded.v1',
      await message(id, reader, reader, ofReader),
    );
    await until(async () => (await harness.admin.query('select 1 from assignment where tenant_id = $1', [id])).rowCount === 3);
    // when the agent's list shows the group with the participant's words, and another one shows somebody who wrote in no group
    const list = {
      actor: { id: agentId, role: 'agent' as const, session: 's' },
      action: 'inbox.list',
      resource: { type: 'inbox', id: 'list' },
      reason: { code: 'ASSIGNED_CONVERSATION' as const, reference: null, text: null },
    };
    const honest = await source.access({ ...list, subjects: [group.commitment, writer.commitment] }, 0);
    const nosy = await source.access({ ...list, subjects: [reader.commitment] }, 1);
    await source.send(
      'conversation.events.v1',
      group.id,
      'conversation.message.recorded.v1',
      await message(id, writer, group, ofGroup),
    );
    await harness.checkpointed(id, 4);
    // then
    expect(verdicts(id)).toEqual(
      new Map([
        [honest.recordId, { verified: 'confirmed', basis: [assigned.id] }],
        [nosy.recordId, { verified: 'contradicted', basis: [theirs[1]] }],
      ]),
    );
    const kept = await harness.admin.query<object>('select subject, owner from participant where tenant_id = $1', [id]);
    expect(kept.rows).toEqual([{ subject: writer.commitment, owner: group.commitment }]);
  });
});
