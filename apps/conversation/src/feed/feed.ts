import type { Topic } from '@centralita/contracts';
import { feed, feedHead } from '@centralita/event-store';
import type { FeedReader } from '@centralita/platform-nest';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../record/cursor.js';
import { pointerHeads, pointersAfter, type LanePositions } from './reply-pointers.js';

const TOPIC: Topic = 'conversation.events.v1';
const FeedCursor = z.object({
  events: z.string(),
  replies: z.record(z.string().regex(/^\d{1,2}$/), z.string().regex(/^(0|[1-9]\d{0,18})$/)),
});

const encode = (events: string, replies: LanePositions): string =>
  encodeCursor({ events, replies: Object.fromEntries([...replies].map(([lane, seq]) => [lane, seq.toString()])) });

/**
 * Pointers of conversation: its own events, and what others tell about its replies, which is no event of ours. Two vectors in one
 * cursor; both kinds are in order by themselves, and a client that looks again needs no order between them.
 */
export const conversationFeed: FeedReader = {
  head: async (tx) => encode(await feedHead(tx, TOPIC), await pointerHeads(tx)),
  page: async (tx, cursor, limit) => {
    const from = decodeCursor(FeedCursor, cursor);
    const after = new Map(Object.entries(from.replies).map(([lane, seq]) => [Number(lane), BigInt(seq)]));
    const events = await feed(tx, TOPIC, from.events, limit);
    const room = limit - events.items.length;
    const replies = room === 0 ? { items: [], positions: after } : await pointersAfter(tx, after, room);
    return { items: [...events.items, ...replies.items], cursor: encode(events.cursor, replies.positions) };
  },
};
