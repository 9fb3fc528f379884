import { describe, expect, it } from '@jest/globals';
import type { Sealed } from '@centralita/contracts';
import fc from 'fast-check';
import type { CaseEvent } from '../event.js';
import { evolveCase, type CaseState } from './case.js';
import { decideCase, type CaseActor, type CaseCommand } from './decide-case.js';

const now = '2026-11-23T10:00:00.000Z';
const sealed: Sealed = { id: 'e', subject: 's', schema: 'note.v1', kid: 'k', nonce: 'n', ct: 'c' };
const base = { conversationId: 'case-1', subjectId: 's' };
const opened: CaseEvent = {
  type: 'conversation.opened.v1',
  data: {
    ...base,
    ...{ contactId: 'contact', phoneNumberId: '100', wabaId: 'waba', ordinal: 1, openedBy: 'm1', openedAt: now },
    ...{ language: null, windowExpiresAt: null, referral: false },
  },
};
const message = (direction: 'in' | 'echo'): CaseEvent => ({
  type: 'conversation.message.recorded.v1',
  data: {
    ...base,
    messageRef: 'm',
    direction,
    messageType: 'text',
    participant: '-',
    effectiveAt: now,
    contextRef: null,
    media: null,
    sealed,
  },
});
const replied: CaseEvent = {
  type: 'conversation.reply.requested.v1',
  data: {
    ...base,
    ...{ replyId: 'r', sendId: 'x', phoneNumberId: '100', agentId: 'a', kind: 'text', template: null, contextRef: null },
    ...{ requestedAt: now, sendBefore: now, sealed },
  },
};
const refused: CaseEvent = {
  type: 'conversation.reply.refused.v1',
  data: { ...base, replyId: 'r', agentId: 'a', code: 'WINDOW_CLOSED', refusedAt: now },
};
const disposed: CaseEvent = {
  type: 'conversation.disposed.v1',
  data: { ...base, agentId: 'a', code: 'solved', disposedAt: now },
};
const closed: CaseEvent = {
  type: 'conversation.closed.v1',
  data: { ...base, agentId: 'a', dispositionCode: 'solved', closedAt: now },
};
const reopened: CaseEvent = {
  type: 'conversation.reopened.v1',
  data: { ...base, reopenedBy: 'm2', reopenedAt: now, windowExpiresAt: null },
};
const noted: CaseEvent = { type: 'conversation.noted.v1', data: { ...base, noteId: 'n', agentId: 'a', notedAt: now, sealed } };
const transfer: CaseEvent = {
  type: 'conversation.transfer.requested.v1',
  data: { ...base, transferId: 't', agentId: 'a', toQueueId: 'q', toAgentId: null, requestedAt: now },
};

const agent: CaseActor = { id: 'a', supervisor: false };
const supervisor: CaseActor = { id: 'b', supervisor: true };
type Wanted = CaseCommand extends infer Each
  ? Each extends CaseCommand
    ? Omit<Each, 'now' | 'actor' | 'assignedAgentId'>
    : never
  : never;
const close: Wanted = { type: 'close', dispositionCode: null };
const given = (...events: readonly CaseEvent[]) => ({
  state: events.reduce(evolveCase, null as CaseState | null),
  when: (command: Wanted, actor = agent, assignedAgentId: string | null = 'a'): CaseEvent[] =>
    decideCase(events.reduce(evolveCase, null as CaseState | null) as CaseState, {
      ...command,
      ...{ now, actor, assignedAgentId },
    }),
});
const withCode = (code: string) => expect.objectContaining({ code });

describe('the fold of a case', () => {
  it('counts what left the business: replies and echoes, nothing else', () => {
    const events = [opened, message('in'), replied, message('in'), message('echo'), refused, noted, transfer];
    expect(given(...events).state).toMatchObject({ outboundVersion: 2, status: 'open', closedAt: null });
  });
  it('a reopened case needs a disposition again', () => {
    expect(given(opened, disposed, closed).state).toMatchObject({ status: 'closed', closedAt: now, dispositionCode: 'solved' });
    expect(given(opened, disposed, closed, reopened).state).toMatchObject({
      status: 'open',
      closedAt: null,
      dispositionCode: null,
    });
  });
  it('does not exist before it was opened', () => {
    expect(given(message('in'), closed).state).toBeNull();
  });
});

describe('notes, dispositions, closing, transfer', () => {
  it('a note is written, also after closing', () => {
    expect(given(opened, disposed, closed).when({ type: 'add-note', noteId: 'n', sealed })).toEqual([noted]);
  });
  it('a disposition is set once', () => {
    expect(given(opened).when({ type: 'set-disposition', code: 'solved' })).toEqual([disposed]);
    expect(given(opened, disposed).when({ type: 'set-disposition', code: 'solved' })).toEqual([]);
  });
  it('closing needs a disposition, set before or given with it', () => {
    expect(() => given(opened).when(close)).toThrow(withCode('DISPOSITION_REQUIRED'));
    expect(given(opened, disposed).when(close)).toEqual([closed]);
    expect(given(opened).when({ type: 'close', dispositionCode: 'solved' })).toEqual([disposed, closed]);
  });
  it('a closed case is not closed or transferred again', () => {
    const sut = given(opened, disposed, closed);
    expect(() => sut.when(close)).toThrow(withCode('CONVERSATION_CLOSED'));
    expect(() => sut.when({ type: 'request-transfer', transferId: 't', toQueueId: 'q', toAgentId: null })).toThrow(
      withCode('CONVERSATION_CLOSED'),
    );
  });
  it('a transfer is asked for', () => {
    expect(given(opened).when({ type: 'request-transfer', transferId: 't', toQueueId: 'q', toAgentId: null })).toEqual([
      transfer,
    ]);
  });
  it('a supervisor hands over what its agent has, and nothing that nobody has', () => {
    const wanted = { type: 'request-transfer', transferId: 't', toQueueId: 'q', toAgentId: null } as const;
    expect(given(opened).when(wanted, supervisor, 'a')).toEqual([transfer]);
    expect(() => given(opened).when(wanted, supervisor, null)).toThrow(withCode('NOT_ASSIGNED'));
  });
  it('only the assigned agent or a supervisor may', () => {
    expect(() => given(opened, disposed).when(close, agent, 'somebody')).toThrow(withCode('NOT_ASSIGNED'));
    expect(() => given(opened, disposed).when(close, agent, null)).toThrow(withCode('NOT_ASSIGNED'));
    expect(given(opened, disposed).when(close, supervisor, null)).toHaveLength(1);
  });
  it('holds over any sequence: what is decided can be folded, and a closed case has a disposition', () => {
    const aCommand: fc.Arbitrary<Wanted> = fc.constantFrom<Wanted>(
      close,
      { type: 'close', dispositionCode: 'other' },
      { type: 'set-disposition', code: 'solved' },
      { type: 'add-note', noteId: 'n', sealed },
      { type: 'request-transfer', transferId: 't', toQueueId: null, toAgentId: 'c' },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(aCommand, fc.constant('reopen' as const)), { maxLength: 20 }), (steps) => {
        let events: CaseEvent[] = [opened];
        for (const step of steps) {
          const sut = given(...events);
          try {
            events = [...events, ...(step === 'reopen' ? (sut.state?.status === 'closed' ? [reopened] : []) : sut.when(step))];
          } catch (error) {
            expect(['CONVERSATION_CLOSED', 'DISPOSITION_REQUIRED']).toContain((error as { code?: string }).code);
          }
          const { state } = given(...events);
          expect(state?.status === 'closed').toBe(state?.closedAt !== null);
          if (state?.status === 'closed') expect(state.dispositionCode).not.toBeNull();
        }
      }),
    );
  });
});
