import type { ThreadQuery } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../record/cursor.js';
import { readRows } from '../record/rows.js';
import type { ThreadRow } from './projection.js';

/** A line with what others reported about it. */
export type ListedItem = ThreadRow & {
  readonly reported_status: string | null;
  readonly reported_code: string | null;
  readonly media_state: 'stored' | 'lost' | null;
};

const ThreadCursor = z.object({ place: z.iso.datetime(), position: z.number().int(), id: z.string() });

/** Lines of a conversation, newest first, as {@link placeInThread} has put them. */
export const listThread = async (
  tx: Tx,
  conversationId: string,
  query: z.output<typeof ThreadQuery>,
): Promise<{ rows: ListedItem[]; nextCursor: string | null }> => {
  const before = query.cursor === undefined ? null : decodeCursor(ThreadCursor, query.cursor);
  const rows = await readRows<ListedItem>(
    tx,
    `select t.conversation_id, t.item_id, t.kind, t.at, t.placed_at, t.position, t.message_type, t.message_ref, t.participant, t.context_ref, t.media,
            t.agent_id, t.send_id, t.status, t.status_code, t.event_type, t.sealed,
            s.status as reported_status, s.status_code as reported_code,
            (select m.state from media_state m
              where m.tenant_id = t.tenant_id and m.media_id = (t.media ->> 'mediaId')::uuid) as media_state
     from thread_item t
     left join message_status s on s.tenant_id = t.tenant_id and s.message_ref = t.message_ref
     where t.tenant_id = $1 and t.conversation_id = $2
       ${before ? 'and (t.placed_at, t.position, t.item_id) < ($4::timestamptz, $5::int, $6::text)' : ''}
     order by t.placed_at desc, t.position desc, t.item_id desc limit $3`,
    [tx.tenantId, conversationId, query.limit + 1, ...(before ? [before.place, before.position, before.id] : [])],
  );
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const nextCursor =
    rows.length > query.limit && last ? encodeCursor({ place: last.placed_at, position: last.position, id: last.item_id }) : null;
  return { rows: page, nextCursor };
};
