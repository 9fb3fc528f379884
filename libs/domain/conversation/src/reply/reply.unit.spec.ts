import { describe, expect, it } from '@jest/globals';
import type { Sealed, Template } from '@centralita/contracts';
import fc from 'fast-check';
import type { CaseState } from '../case/case.js';
import { DAY_MS, HOUR_MS, instant, millis } from '../time.js';
import { noWindow, openWindow, type WindowState } from '../window/window.js';
import { decideReply, replyVersion, type RequestReply } from './decide-reply.js';
import { mayReply } from './may-reply.js';
import { mergeProgress, progressOfStatus, REPLY_LADDER, type ReplyProgress } from './status.js';
import { chooseTemplate, renderTemplate } from './template.js';

const t0 = millis('2026-11-23T10:00:00.000Z');
const at = (offset: number): string => instant(t0 + offset);
const sealed: Sealed = { id: 'e', subject: 's', schema: 'reply.v1', kid: 'k', nonce: 'n', ct: 'c' };
const open = openWindow(noWindow, at(-HOUR_MS));
const over = openWindow(noWindow, at(-DAY_MS));
const agent = { id: 'agent-1' };

describe('the one rule of replies', () => {
  const rule = (window: WindowState, change: { agentId?: string | null; state?: 'open' | 'closed' } = {}) =>
    mayReply({
      now: at(0),
      window,
      assignment: { agentId: change.agentId === undefined ? agent.id : change.agentId },
      state: change.state ?? 'open',
      actor: agent,
    });
  it.each([
    ['inside the window', rule(open), { may: 'text', because: null, until: at(23 * HOUR_MS) }],
    ['at the instant of expiry', rule(over), { may: 'template', because: 'WINDOW_CLOSED' }],
    ['a millisecond before', rule(openWindow(noWindow, at(1 - DAY_MS))), { may: 'text', because: null, until: at(1) }],
    ['the customer never wrote', rule(noWindow), { may: 'template', because: 'WINDOW_NEVER_OPENED' }],
    ['nobody is assigned', rule(open, { agentId: null }), { may: 'no', because: 'NOT_ASSIGNED' }],
    ['another agent is assigned', rule(open, { agentId: 'agent-2' }), { may: 'no', because: 'NOT_ASSIGNED' }],
    ['the case is closed', rule(open, { state: 'closed' }), { may: 'no', because: 'CONVERSATION_CLOSED' }],
  ])('%s', (_, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('a reply is asked for', () => {
  const latest: CaseState = {
    conversationId: 'case-1',
    subjectId: 's',
    contactId: 'contact',
    phoneNumberId: '100',
    ordinal: 1,
    status: 'open',
    closedAt: null,
    dispositionCode: null,
    outboundVersion: 3,
  };
  const assignment = { agentId: agent.id, version: 7 };
  const command: RequestReply = {
    now: at(0),
    actor: agent,
    replyId: 'reply',
    sendId: 'send',
    contents: { kind: 'text' },
    contextRef: null,
    expectedVersion: replyVersion(3, 7),
  };
  const template = { kind: 'template', name: 'again', language: 'es' } as const;
  const decide = (window: WindowState, change: Partial<RequestReply> = {}, state = latest) => {
    const decision = decideReply({ latest: state, window, assignment }, { ...command, ...change });
    return decision.outcome === 'requested' ? decision.event(sealed) : decision;
  };

  it('text inside the window must leave before it closes', () => {
    expect(decide(open)).toEqual({
      type: 'conversation.reply.requested.v1',
      data: {
        conversationId: 'case-1',
        subjectId: 's',
        replyId: 'reply',
        sendId: 'send',
        phoneNumberId: '100',
        agentId: 'agent-1',
        kind: 'text',
        template: null,
        contextRef: null,
        requestedAt: at(0),
        sendBefore: at(23 * HOUR_MS),
        sealed,
      },
    });
  });
  it('a template may leave within a day, inside the window or outside', () => {
    const data = { kind: 'template', template: { name: 'again', language: 'es' }, sendBefore: at(DAY_MS) };
    expect(decide(over, { contents: template })).toMatchObject({ data });
    expect(decide(open, { contents: template })).toMatchObject({ data });
  });
  it('text outside the window is refused, and the refusal is a fact', () => {
    expect(decide(over)).toEqual({
      outcome: 'refused',
      code: 'WINDOW_CLOSED',
      event: {
        type: 'conversation.reply.refused.v1',
        data: {
          conversationId: 'case-1',
          subjectId: 's',
          replyId: 'reply',
          agentId: 'agent-1',
          code: 'WINDOW_CLOSED',
          refusedAt: at(0),
        },
      },
    });
    expect(decide(noWindow)).toMatchObject({ code: 'WINDOW_NEVER_OPENED' });
  });
  it('by somebody who may not is refused without a fact', () => {
    expect(decide(open, { actor: { id: 'other' } })).toEqual({ outcome: 'refused', code: 'NOT_ASSIGNED', event: null });
    expect(decide(open, {}, { ...latest, status: 'closed' })).toMatchObject({ code: 'CONVERSATION_CLOSED', event: null });
  });
  it('after another answer or assignment is a conflict', () => {
    for (const expectedVersion of [replyVersion(2, 7), replyVersion(3, 6), ''])
      expect(() => decide(open, { expectedVersion })).toThrow(expect.objectContaining({ code: 'VERSION_CONFLICT' }));
  });
});

describe('the ladder of a reply', () => {
  const progress: fc.Arbitrary<ReplyProgress> = fc.record({
    status: fc.constantFrom(...REPLY_LADDER),
    code: fc.option(fc.constantFrom('131026', '131047', 'window_closed')),
  });
  it('is the same in any order and never goes backwards', () => {
    const evidence = fc
      .array(progress, { minLength: 1, maxLength: 12 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(evidence, ([list, other]) => {
        const fold = (all: readonly ReplyProgress[]): ReplyProgress => all.reduce(mergeProgress);
        expect(fold(other)).toEqual(fold(list));
        expect(mergeProgress(fold(list), list[0] as ReplyProgress)).toEqual(fold(list));
        expect(REPLY_LADDER.indexOf(fold(list).status)).toBe(Math.max(...list.map(({ status }) => REPLY_LADDER.indexOf(status))));
      }),
    );
  });
  it('failed is terminal, also when delivery is reported later', () => {
    const failed = { status: 'failed', code: '131026' } as const;
    expect(mergeProgress(failed, { status: 'delivered', code: null })).toEqual(failed);
  });
  it.each([
    ['sent', '-', { status: 'sent', code: null }],
    ['delivered', '-', { status: 'delivered', code: null }],
    ['read', '-', { status: 'read', code: null }],
    ['played', '-', { status: 'read', code: null }],
    ['failed', '-', { status: 'failed', code: '131026' }],
    ['failed', 'AAAAAAAAAAAAAAAAAAAAAA', null],
    ['warped', '-', null],
  ])('reads the provider status %s of participant %s', (status, participant, expected) => {
    expect(progressOfStatus({ status, participant, errorCodes: [131026] })).toEqual(expected);
  });
  it('a failure without a code has none', () => {
    expect(progressOfStatus({ status: 'failed', participant: '-', errorCodes: [] })).toEqual({ status: 'failed', code: null });
  });
});

describe('templates', () => {
  const again: Template = { name: 'again', language: 'es', category: 'utility', body: 'Hola {{1}}, {{2}}. {{3}}', variables: 2 };
  it('is chosen by name and language', () => {
    expect(chooseTemplate([again], { name: 'again', language: 'es', values: ['a', 'b'] })).toBe(again);
    for (const wanted of [
      { name: 'again', language: 'en' },
      { name: 'other', language: 'es' },
    ])
      expect(() => chooseTemplate([again], { ...wanted, values: [] })).toThrow(
        expect.objectContaining({ code: 'TEMPLATE_UNKNOWN' }),
      );
  });
  it('needs as many values as placeholders', () => {
    expect(() => chooseTemplate([again], { name: 'again', language: 'es', values: ['a'] })).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_INVALID', details: { expected: 2, given: 1 } }),
    );
  });
  it('renders what the customer gets', () => {
    expect(renderTemplate(again.body, ['$&', 'b'])).toBe('Hola $&, b. {{3}}');
  });
});
