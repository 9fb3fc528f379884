import { describe, expect, it } from '@jest/globals';
import type { Sealed } from '@centralita/contracts';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, instant, millis } from '../time.js';
import { windowExpiresAt } from '../window/window.js';
import { decideInbound, evolveLine, initialLine, type InboundFact, type LineEvent } from './decide-inbound.js';

const t0 = millis('2026-11-23T10:00:00.000Z');
const at = (offset: number): string => instant(t0 + offset);
const sealed: Sealed = { id: 'e', subject: 's', schema: 'wa.item.v1', kid: 'k', nonce: 'n', ct: 'c' };
const origin = { app: 'app', wabaId: 'waba', phoneNumberId: '100' };
const ids = { contactId: 'contact', conversationId: (ordinal: number) => `case-${String(ordinal)}` };

const message = (ref: string, offset: number, type = 'text'): InboundFact => ({
  type: 'whatsapp.message.received.v1',
  data: {
    ...origin,
    messageRef: ref,
    messageType: type,
    providerTime: at(offset),
    subjectId: 's',
    group: false,
    participant: '-',
    addressKind: 'phone',
    marketHint: { country: 'ES', prefix: '34' },
    contextRef: null,
    media: null,
    referral: false,
    sealed,
  },
});
const call = (event: string, direction: string | null, status: string | null): InboundFact => ({
  type: 'whatsapp.call.changed.v1',
  data: {
    ...origin,
    ...{ callRef: 'call', event, direction, status, providerTime: at(0), subjectId: 's', sealed },
    marketHint: { country: null, prefix: null },
  },
});
const echo = (ref: string): InboundFact => ({
  type: 'whatsapp.echo.received.v1',
  data: {
    ...origin,
    ...{ messageRef: ref, messageType: 'text', providerTime: at(0), subjectId: 's', sealed },
    marketHint: { country: 'ES', prefix: '34' },
  },
});
const closedAt = (offset: number, conversationId = 'case-1'): LineEvent => ({
  type: 'conversation.closed.v1',
  data: { conversationId, subjectId: 's', agentId: 'a', dispositionCode: 'solved', closedAt: at(offset) },
});
const noted = (conversationId: string): LineEvent => ({
  type: 'conversation.noted.v1',
  data: { conversationId, subjectId: 's', noteId: 'n', agentId: 'a', notedAt: at(0), sealed },
});

/** given facts and events, when one more fact arrives, then the events that it causes */
const after = (...given: readonly (InboundFact | LineEvent)[]) => {
  const play = (state: ReturnType<typeof evolveLine>, fact: InboundFact): LineEvent[] =>
    decideInbound(state, { fact, subjectId: 's', recordedTime: at(0), ids });
  const state = given.reduce(
    (line, entry) =>
      entry.type.startsWith('whatsapp.')
        ? play(line, entry as InboundFact).reduce(evolveLine, line)
        : evolveLine(line, entry as LineEvent),
    initialLine,
  );
  return { state, when: (fact: InboundFact): LineEvent[] => play(state, fact) };
};
const types = (events: readonly LineEvent[]): string[] => events.map(({ type }) => type.replace(/^conversation\./, ''));
const caseOf = (events: readonly LineEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'conversation.message.recorded.v1' ? [event.data.conversationId] : []));

describe('a customer writes', () => {
  it('for the first time: founds a contact, opens the first case, records the message, opens the window', () => {
    expect(after().when(message('m1', -HOUR_MS))).toEqual([
      { type: 'contact.identified.v1', data: { contactId: 'contact', subjectId: 's' } },
      {
        type: 'conversation.opened.v1',
        data: {
          conversationId: 'case-1',
          subjectId: 's',
          contactId: 'contact',
          phoneNumberId: '100',
          wabaId: 'waba',
          ordinal: 1,
          openedBy: 'm1',
          openedAt: at(-HOUR_MS),
          language: 'es',
          windowExpiresAt: at(23 * HOUR_MS),
          referral: false,
        },
      },
      {
        type: 'conversation.message.recorded.v1',
        data: {
          conversationId: 'case-1',
          subjectId: 's',
          messageRef: 'm1',
          direction: 'in',
          messageType: 'text',
          participant: '-',
          effectiveAt: at(-HOUR_MS),
          contextRef: null,
          media: null,
          sealed,
        },
      },
      {
        type: 'conversation.window.opened.v1',
        data: { subjectId: 's', phoneNumberId: '100', openedAt: at(-HOUR_MS), expiresAt: at(23 * HOUR_MS), causeRef: 'm1' },
      },
    ]);
  });

  it('again: joins the open case and moves the window', () => {
    expect(types(after(message('m1', -HOUR_MS)).when(message('m2', 0)))).toEqual(['message.recorded.v1', 'window.opened.v1']);
  });

  it('ten pictures in the same second: one case, ten messages, the window moves once', () => {
    const { state, when } = after(message('m1', 0, 'image'));
    expect(types(when(message('m2', 0, 'image')))).toEqual(['message.recorded.v1']);
    expect(state.latest?.outboundVersion).toBe(0);
  });

  it('late and older than what is known: is recorded, the window stays', () => {
    expect(types(after(message('m1', 0)).when(message('m0', -HOUR_MS)))).toEqual(['message.recorded.v1']);
  });

  it('25 hours ago: opens a case whose window is over', () => {
    const [, opened] = after().when(message('m1', -25 * HOUR_MS));
    expect(opened).toMatchObject({ data: { windowExpiresAt: at(-HOUR_MS) } });
  });

  it('24 hours after the closing: reopens; a millisecond later: begins the next case', () => {
    const closed = after(message('m1', -3 * DAY_MS), closedAt(-DAY_MS));
    expect(types(closed.when(message('m2', 0)))).toEqual(['reopened.v1', 'message.recorded.v1', 'window.opened.v1']);
    const later = closed.when(message('m2', 1));
    expect(types(later)).toEqual(['opened.v1', 'message.recorded.v1', 'window.opened.v1']);
    expect(later[0]).toMatchObject({ data: { conversationId: 'case-2', ordinal: 2 } });
  });

  it('before the closing, seen after it: reopens', () => {
    expect(types(after(message('m1', -DAY_MS), closedAt(0)).when(message('m2', -HOUR_MS)))[0]).toBe('reopened.v1');
  });

  it('after what happened to an earlier case: the latest stays as it was', () => {
    const line = after(message('m1', -3 * DAY_MS), closedAt(-2 * DAY_MS), message('m2', 0));
    const disturbed = [noted('case-1'), closedAt(0, 'case-1')].reduce(evolveLine, line.state);
    expect(disturbed.latest).toEqual(line.state.latest);
  });

  it('a type that nobody knows: is a message like any other', () => {
    expect(types(after().when(message('m1', 0, 'hologram')))).toContain('opened.v1');
  });
});

describe('what is no speech', () => {
  it('a reaction joins the closed case without waking it, and moves the window', () => {
    expect(types(after(message('m1', -HOUR_MS), closedAt(-1)).when(message('r', 0, 'reaction')))).toEqual([
      'message.recorded.v1',
      'window.opened.v1',
    ]);
  });
  it.each(['edit', 'revoke', 'system'])('%s joins the last case and moves nothing', (type) => {
    expect(types(after(message('m1', -HOUR_MS), closedAt(-1)).when(message('x', 0, type)))).toEqual(['message.recorded.v1']);
  });
  it('opens a case when there is none, so that every item stands in one', () => {
    expect(types(after().when(message('x', 0, 'system')))).toEqual(['contact.identified.v1', 'opened.v1', 'message.recorded.v1']);
  });
});

describe('calls and echoes', () => {
  it('a call of the customer is recorded and opens case and window', () => {
    expect(types(after().when(call('connect', 'USER_INITIATED', null)))).toEqual([
      'contact.identified.v1',
      'opened.v1',
      'message.recorded.v1',
      'window.opened.v1',
    ]);
  });
  it('our call that the customer accepted opens the window alone', () => {
    expect(types(after().when(call('status', null, 'ACCEPTED')))).toEqual(['contact.identified.v1', 'window.opened.v1']);
  });
  it('the end of a call means nothing here', () => {
    expect(after().when(call('terminate', 'USER_INITIATED', 'COMPLETED'))).toEqual([]);
  });
  it('an echo joins the last case, counts as outbound and never moves the window', () => {
    const known = after(message('m1', -HOUR_MS));
    const events = known.when(echo('e1'));
    expect(types(events)).toEqual(['message.recorded.v1']);
    expect(events.reduce(evolveLine, known.state).latest?.outboundVersion).toBe(1);
  });
  it('an echo to somebody who never wrote begins nothing', () => {
    expect(after().when(echo('e1'))).toEqual([]);
  });
});

describe('any day', () => {
  const anItem = fc.record({
    offset: fc.integer({ min: -7 * DAY_MS, max: 0 }),
    type: fc.constantFrom('text', 'image', 'reaction', 'edit', 'system', 'hologram'),
  });
  const aStep = fc.oneof(
    { weight: 4, arbitrary: anItem.map((item) => ({ kind: 'item' as const, ...item })) },
    { weight: 1, arbitrary: fc.integer({ min: -7 * DAY_MS, max: 0 }).map((offset) => ({ kind: 'close' as const, offset })) },
  );

  it('records every item in exactly one case, ordinals have no gaps, folds never fail', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
        let line = initialLine;
        const opened: number[] = [];
        steps.forEach((step, index) => {
          if (step.kind === 'close') {
            if (line.latest?.status === 'open') line = evolveLine(line, closedAt(step.offset, line.latest.conversationId));
            return;
          }
          const fact = message(String(index), step.offset, step.type);
          const events = decideInbound(line, { fact, subjectId: 's', recordedTime: at(0), ids });
          expect(caseOf(events)).toHaveLength(1);
          line = events.reduce(evolveLine, line);
          expect(caseOf(events)).toEqual([line.latest?.conversationId]);
          opened.push(...events.flatMap((event) => (event.type === 'conversation.opened.v1' ? [event.data.ordinal] : [])));
        });
        expect(opened).toEqual(opened.map((_, index) => index + 1));
      }),
    );
  });

  it('ends with the same window in whatever order the items arrive', () => {
    const anyOrder = fc
      .array(anItem, { minLength: 1, maxLength: 15 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    const end = (items: readonly { offset: number; type: string }[]): string | null =>
      windowExpiresAt(after(...items.map(({ offset, type }, index) => message(String(index), offset, type))).state.window);
    fc.assert(fc.property(anyOrder, ([list, other]) => expect(end(other)).toBe(end(list))));
  });
});
