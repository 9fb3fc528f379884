import { describe, expect, it } from '@jest/globals';
import type { AccessRecord } from '@centralita/contracts';
import { Facts, type AgentQueues, type Assignment, type KnownFacts, type TaskQueue } from './facts.js';
import { isVerifiable, verifyReason } from './reason.js';

const AT = Date.parse('2026-11-22T10:00:00.000Z');
const minutes = (n: number): number => AT + n * 60_000;
const AGENT = 'agent';
const record = (changed: Partial<AccessRecord> = {}): AccessRecord => ({
  recordId: 'record',
  occurredAt: new Date(AT).toISOString(),
  service: 'conversation',
  outcome: 'disclosed',
  actor: { id: AGENT, role: 'agent', session: 's' },
  action: 'conversation.thread.read',
  resource: { type: 'conversation', id: 'case-1' },
  fields: [],
  resultCount: 1,
  subjects: ['one'],
  manifest: null,
  reason: { code: 'ASSIGNED_CONVERSATION', reference: null, text: null },
  policy: { rule: 'r', version: 1 },
  source: { ip: null, userAgent: null },
  ...changed,
});
const list = (subjects: string[], code: AccessRecord['reason']['code'] = 'ASSIGNED_CONVERSATION'): AccessRecord =>
  record({ subjects, resource: { type: 'inbox', id: 'list' }, manifest: 'm', reason: { code, reference: null, text: null } });
const assignment = (changed: Partial<Assignment> = {}): Assignment => ({
  conversationId: 'case-1',
  agentId: AGENT,
  subject: 'one',
  from: minutes(-30),
  until: null,
  assignedEvent: 'assigned-1',
  endedEvent: null,
  ...changed,
});
const facts = (changed: Partial<KnownFacts>): Facts => new Facts({ assignments: [], queues: [], agents: [], ...changed });
const verdict = (about: AccessRecord, known: Partial<KnownFacts>): { verified: string; basis: readonly string[] } => {
  const { verified, basis } = verifyReason(about, facts(known), true);
  return { verified, basis };
};

describe('ASSIGNED_CONVERSATION', () => {
  it('is confirmed by an assignment in force, with some room for clocks and screens', () => {
    const confirmed = { verified: 'confirmed', basis: ['assigned-1'] };
    expect(verdict(record(), { assignments: [assignment()] })).toEqual(confirmed);
    expect(verdict(record(), { assignments: [assignment({ from: AT + 4_000 })] })).toEqual(confirmed);
    expect(verdict(record(), { assignments: [assignment({ until: AT - 59_000, endedEvent: 'ended' })] })).toEqual(confirmed);
  });

  it('is not contradicted by what is missing while decisions about the customer are parked', () => {
    const known = { assignments: [assignment({ agentId: 'colleague', assignedEvent: 'theirs' })], parked: new Set(['one']) };
    expect(verdict(record(), known)).toEqual({ verified: 'unverifiable', basis: [] });
    expect(verdict(record(), { ...known, assignments: [assignment()] }).verified).toBe('confirmed');
  });

  it('is not contradicted by what is missing while decisions may still be on their way', () => {
    const theirs = assignment({ agentId: 'colleague' });
    const late = (known: Partial<KnownFacts>): string => verifyReason(record(), facts(known), false).verified;
    expect(late({ assignments: [theirs] })).toBe('unverifiable');
    expect(late({ assignments: [assignment({ until: minutes(-10), endedEvent: 'ended' })] })).toBe('unverifiable');
    expect(late({ assignments: [theirs, assignment()] })).toBe('confirmed');
  });

  it('is contradicted in no list while anything is parked: whoever it shows may have written in a group that waits', () => {
    const known = { assignments: [assignment({ agentId: 'colleague' })] };
    expect(verdict(list(['one']), known).verified).toBe('contradicted');
    expect(verdict(list(['one']), { ...known, parked: new Set(['a-group']) })).toEqual({ verified: 'unverifiable', basis: [] });
  });

  it('is not contradicted while nothing is known of the conversation and somebody’s decisions are parked: it may be theirs', () => {
    expect(verdict(record(), { parked: new Set(['somebody']) }).verified).toBe('unverifiable');
    const known = { assignments: [assignment({ agentId: 'colleague' })], parked: new Set(['somebody']) };
    expect(verdict(record(), known).verified).toBe('contradicted');
  });

  it('is judged by the conversation for everybody who wrote in it: participants of a group have conversations of their own', () => {
    const group = record({ subjects: ['participant', 'the-group'], manifest: 'm' });
    const known = [
      assignment({ subject: 'the-group' }),
      assignment({ subject: 'participant', conversationId: 'case-2', agentId: 'colleague', assignedEvent: 'theirs' }),
    ];
    const found = verifyReason(group, facts({ assignments: known }), true);
    expect(found).toMatchObject({ verified: 'confirmed', basis: ['assigned-1'] });
    expect([...found.bySubject.values()].map(({ verified }) => verified)).toEqual(['confirmed', 'confirmed']);
    // The look of who has only the participant's own conversation.
    const theirs = known.map((each) => ({ ...each, agentId: each.agentId === AGENT ? 'colleague' : AGENT }));
    expect(verdict(group, { assignments: theirs }).verified).toBe('contradicted');
    // While decisions about the group are parked, whoever else wrote in it.
    const parked = new Set(['the-group']);
    expect(verdict(record({ subjects: ['participant'] }), { assignments: theirs, parked }).verified).toBe('unverifiable');
  });

  it('is judged in a list by all conversations that a customer has written in, also by those of groups', () => {
    const own = assignment({ subject: 'participant', conversationId: 'case-2', agentId: 'colleague', assignedEvent: 'theirs' });
    const assignments = [assignment({ subject: 'the-group', assignedEvent: 'of the group' }), own];
    const participations = [{ subject: 'participant', owner: 'the-group' }];
    const confirmed = { verified: 'confirmed', basis: ['of the group'] };
    expect(verdict(list(['participant']), { assignments, participations })).toEqual(confirmed);
    expect(verdict(list(['the-group', 'participant']), { assignments, participations })).toEqual(confirmed);
    // The other way round nothing follows: who wrote in a group is not the group, and somebody else of it is not they.
    expect(verdict(list(['participant']), { assignments }).verified).toBe('contradicted');
    const theirs = [{ ...own, agentId: AGENT }, assignment({ subject: 'the-group', agentId: 'colleague' })];
    expect(verdict(list(['the-group']), { assignments: theirs, participations }).verified).toBe('contradicted');
    const another = [...participations, { subject: 'other', owner: 'the-group' }];
    expect(verdict(list(['other']), { assignments: theirs, participations: another }).verified).toBe('contradicted');
  });

  it('cannot be judged of a customer in a list of whom nothing is known', () => {
    expect(verdict(list(['stranger']), {})).toEqual({ verified: 'unverifiable', basis: [] });
    expect(verdict(list(['one', 'stranger']), { assignments: [assignment()] }).verified).toBe('unverifiable');
  });

  it('is contradicted without one, before it began, long after it ended, and while it is a colleague’s', () => {
    expect(verdict(record(), {})).toEqual({ verified: 'contradicted', basis: [] });
    expect(verdict(record(), { assignments: [assignment({ from: AT + 6_000 })] }).verified).toBe('contradicted');
    expect(verdict(record(), { assignments: [assignment({ until: AT - 61_000, endedEvent: 'ended' })] })).toEqual({
      verified: 'contradicted',
      basis: ['ended'],
    });
    expect(verdict(record(), { assignments: [assignment({ agentId: 'colleague', assignedEvent: 'theirs' })] })).toEqual({
      verified: 'contradicted',
      basis: ['theirs'],
    });
    expect(verdict(record(), { assignments: [assignment({ conversationId: 'case-2' })] }).verified).toBe('contradicted');
  });

  it('is judged per customer in a list, and the list by the worst', () => {
    const both = [assignment(), assignment({ conversationId: 'case-2', subject: 'two', assignedEvent: 'assigned-2' })];
    expect(verdict(list(['one', 'two']), { assignments: both })).toEqual({
      verified: 'confirmed',
      basis: ['assigned-1', 'assigned-2'],
    });
    const theirs = assignment({ conversationId: 'case-2', subject: 'two', agentId: 'colleague' });
    const mixed = verifyReason(list(['one', 'two']), facts({ assignments: [assignment(), theirs] }), true);
    expect(mixed.verified).toBe('contradicted');
    expect(mixed.bySubject.get('one')?.verified).toBe('confirmed');
    expect(mixed.bySubject.get('two')?.verified).toBe('contradicted');
  });

  it('keeps its basis short enough for a leaf', () => {
    const subjects = Array.from({ length: 40 }, (_, n) => `s${n}`);
    const assignments = subjects.map((subject) =>
      assignment({ subject, conversationId: subject, assignedEvent: `of ${subject}` }),
    );
    expect(verdict(list(subjects), { assignments }).basis).toHaveLength(16);
  });
});

describe('QUEUE_TRIAGE', () => {
  const triage = record({ reason: { code: 'QUEUE_TRIAGE', reference: null, text: null } });
  const queue = (queueId: string | null, since = minutes(-20), eventId = `in ${queueId}`): TaskQueue => ({
    conversationId: 'case-1',
    subject: 'one',
    queueId,
    since,
    eventId,
  });
  const agent = (queueIds: string[], since = minutes(-600)): AgentQueues => ({
    agentId: AGENT,
    queueIds,
    since,
    eventId: `defined ${queueIds.join()}`,
  });

  it('is confirmed when the conversation waits in a queue of the agent', () => {
    expect(verdict(triage, { queues: [queue('sales')], agents: [agent(['sales'])] })).toEqual({
      verified: 'confirmed',
      basis: ['defined sales', 'in sales'],
    });
  });

  it('is contradicted by another queue, also when it was the agent’s before', () => {
    expect(verdict(triage, { queues: [queue('support')], agents: [agent(['sales'])] })).toEqual({
      verified: 'contradicted',
      basis: ['defined sales', 'in support'],
    });
    const moved = { queues: [queue('sales', minutes(-20)), queue('support', minutes(-10))], agents: [agent(['sales'])] };
    expect(verdict(triage, moved).verified).toBe('contradicted');
    const justMoved = { queues: [queue('sales', minutes(-20)), queue('support', minutes(-0.5))], agents: [agent(['sales'])] };
    expect(verdict(triage, justMoved).verified).toBe('confirmed');
    const left = { queues: [queue('sales')], agents: [agent(['sales']), agent(['support'], minutes(-5))] };
    expect(verdict(triage, left).verified).toBe('contradicted');
  });

  it('is unverifiable without a queue or without a definition of the agent', () => {
    expect(verdict(triage, { queues: [queue(null)], agents: [agent(['sales'])] }).verified).toBe('unverifiable');
    expect(verdict(triage, { queues: [queue('sales')] }).verified).toBe('unverifiable');
    expect(verdict(triage, { agents: [agent(['sales'])] }).verified).toBe('unverifiable');
  });

  it('is judged by customer in a list', () => {
    const known = { queues: [queue('sales')], agents: [agent(['sales'])], participations: [{ subject: 'guest', owner: 'one' }] };
    expect(verdict(list(['guest'], 'QUEUE_TRIAGE'), known).verified).toBe('confirmed');
    expect(verdict(list(['one'], 'QUEUE_TRIAGE'), known).verified).toBe('confirmed');
    expect(verdict(list(['one', 'unknown'], 'QUEUE_TRIAGE'), known).verified).toBe('unverifiable');
  });
});

describe('other reasons', () => {
  it('are unverifiable: no event here could confirm them', () => {
    for (const code of ['SUPERVISION_QA', 'SUBJECT_REQUEST', 'LEGAL_PROCESS', 'SYSTEM_OPERATION', 'TEST_DATA'] as const) {
      const about = record({ reason: { code, reference: null, text: null } });
      expect(isVerifiable(about)).toBe(false);
      expect(verdict(about, { assignments: [assignment()] })).toEqual({ verified: 'unverifiable', basis: [] });
    }
  });

  it('so are records that show nobody', () => {
    expect(isVerifiable(record({ subjects: [] }))).toBe(false);
    expect(verdict(record({ subjects: [] }), { assignments: [assignment()] }).verified).toBe('unverifiable');
  });
});
