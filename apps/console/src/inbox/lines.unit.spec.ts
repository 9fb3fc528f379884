import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ThreadItem } from '@centralita/contracts';
import { furtherStatus, linesOf } from './lines.js';

const item = (fields: Partial<ThreadItem> & { id: string }): ThreadItem => ({
  kind: 'inbound',
  at: '2026-11-23T10:00:00.000Z',
  messageType: 'text',
  messageRef: fields.id,
  text: 'x',
  sender: null,
  location: null,
  contactNames: [],
  media: null,
  contextRef: null,
  reactionTo: null,
  agentId: null,
  status: null,
  statusCode: null,
  event: null,
  erased: false,
  ...fields,
});

describe('the status of a message', () => {
  const ladder = ['requested', 'attempted', 'accepted', 'sent', 'delivered', 'read'] as const;

  it('never goes back, in whatever order the news comes', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...ladder], { minLength: 1 }), (news) => {
        const shown = news.reduce<NonNullable<ThreadItem['status']>>(furtherStatus, 'requested');
        expect(ladder.findIndex((each) => each === shown)).toBe(Math.max(...news.map((each) => ladder.indexOf(each))));
      }),
    );
  });

  it('ends with a failure', () => {
    expect(furtherStatus('failed', 'delivered')).toBe('failed');
    expect(furtherStatus('sent', 'failed')).toBe('failed');
    expect(furtherStatus('unknown', 'delivered')).toBe('delivered');
  });
});

describe('the lines of a thread', () => {
  it('begin each day once', () => {
    const lines = linesOf([
      item({ id: 'a', at: '2026-11-21T12:00:00.000Z' }),
      item({ id: 'b', at: '2026-11-23T11:00:00.000Z' }),
      item({ id: 'c', at: '2026-11-23T12:00:00.000Z' }),
    ]);
    expect(lines.map(({ kind }) => kind)).toEqual(['day', 'item', 'day', 'item', 'item']);
  });

  it('put a reaction with its message, the last of each person, until it is taken back', () => {
    const react = (id: string, text: string | null) => item({ id, messageRef: null, text, reactionTo: 'a' });
    const reactionsOf = (...reactions: ThreadItem[]) =>
      linesOf([item({ id: 'a' }), ...reactions]).flatMap((line) => (line.kind === 'item' ? line.reactions : []));
    expect(reactionsOf(react('r1', '👍'), react('r2', '❤️'))).toEqual([{ emoji: '❤️', from: 'customer' }]);
    expect(reactionsOf(react('r1', '👍'), react('r2', null))).toEqual([]);
  });

  it('keep a reaction to a message that is not loaded', () => {
    expect(linesOf([item({ id: 'r', reactionTo: 'gone', messageRef: null })])).toHaveLength(2);
  });
});
