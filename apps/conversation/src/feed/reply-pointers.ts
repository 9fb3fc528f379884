import type { EventBatch, ConsumedEvent } from '@centralita/event-log';
import { PlatformError } from '@centralita/contracts';
import { toBigInt, type FeedItem, type Part, type Tx } from '@centralita/event-store';

/** Type of the pointer that says: look again at the statuses of the replies in this conversation. No event has it; it is never on the log. */
export const REPLY_STATUS_POINTER = 'conversation.reply.status';

const LANES_PER_TOPIC = 16;
/** Lane of what a batch tells: batches of other partitions are at work at the same time, and seldom wait for each other's numbers. */
export const laneOf = ({ topic, partition }: Pick<EventBatch, 'topic' | 'partition'>): number =>
  (topic === 'wa.outbound.v1' ? LANES_PER_TOPIC : 0) + (partition % LANES_PER_TOPIC);

/** The status of a reply in this conversation changed, by that event. */
export type StatusChange = { readonly conversationId: string; readonly by: ConsumedEvent };

/**
 * Moves the pointers of these conversations to the end of the lane, each once. Belongs into the last statement of a transaction: from
 * there on others wait for the lane.
 */
export const pointersTo = (lane: number, changes: readonly StatusChange[]): Part[] => {
  const newest = [...new Map(changes.map((change) => [change.conversationId, change])).values()];
  if (newest.length === 0) return [];
  return [
    {
      as: 'lane_head',
      sql: `insert into reply_pointer_head as h (tenant_id, lane, last_seq) values ($1, $2, $3)
        on conflict (tenant_id, lane) do update set last_seq = h.last_seq + excluded.last_seq
        returning h.last_seq - $3 as before`,
      values: [lane, newest.length],
    },
    {
      sql: `insert into reply_pointer (tenant_id, lane, conversation_id, seq, event_id, at)
        select $1, $2, u.conversation_id, lane_head.before + u.place, u.event_id, u.at
        from unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) with ordinality as u (conversation_id, event_id, at, place), lane_head
        on conflict (tenant_id, lane, conversation_id) do update set seq = excluded.seq, event_id = excluded.event_id, at = excluded.at`,
      values: [
        lane,
        newest.map(({ conversationId }) => conversationId),
        newest.map(({ by }) => by.event.id),
        newest.map(({ by }) => by.event.recordedtime),
      ],
    },
  ];
};

/** Last number that a client has seen, by lane. A lane that is not in here was empty then. */
export type LanePositions = ReadonlyMap<number, bigint>;

export const pointerHeads = async (tx: Tx): Promise<LanePositions> => {
  const heads = await tx.query<{ lane: number; last_seq: string }>(
    `select lane, last_seq from reply_pointer_head where tenant_id = $1`,
    [tx.tenantId],
  );
  return new Map(heads.map(({ lane, last_seq }) => [lane, toBigInt(last_seq)]));
};

/**
 * Pointers after these positions, at most `limit`: of each lane a prefix, so that the new positions pass over nothing. A conversation
 * that changed several times since comes once, with its newest change: who looks again then has seen all of them. Throws CURSOR_GONE for
 * positions that were never given, or given by a database that was put back since.
 */
export const pointersAfter = async (
  tx: Tx,
  after: LanePositions,
  limit: number,
): Promise<{ items: FeedItem[]; positions: LanePositions }> => {
  const rows = await tx.query<{
    gone: boolean;
    lane: number | null;
    seq: string;
    conversation_id: string;
    event_id: string;
    at: Date;
  }>(
    // One statement, and so one snapshot. It gives a row in any case, to say whether the positions are known.
    `with given as (
       select * from unnest($2::smallint[], $3::bigint[]) as c (lane, seq)
     ), head as materialized (
       select h.* from reply_pointer_head h where h.tenant_id = $1
     ), page as (
       select h.lane, p.seq, p.conversation_id, p.event_id, p.at, row_number() over (partition by h.lane order by p.seq) as place
       from head h
       left join given c on c.lane = h.lane
       cross join lateral (
         select p.seq, p.conversation_id, p.event_id, p.at from reply_pointer p
         where p.tenant_id = h.tenant_id and p.lane = h.lane and p.seq > coalesce(c.seq, 0) order by p.seq limit $4) p
       where h.last_seq > coalesce(c.seq, 0)
       order by place, h.lane limit $4
     )
     select s.gone, p.*
     from (select exists (
             select from given c left join head h on h.lane = c.lane where c.seq > coalesce(h.last_seq, 0)) as gone) s
     left join page p on true
     order by p.place, p.lane`,
    [tx.tenantId, [...after.keys()], [...after.values()], limit],
  );
  if (rows[0]?.gone)
    throw new PlatformError('CURSOR_GONE', 'these positions are not known: read the views again, then follow from now');
  const positions = new Map(after);
  const items = rows.flatMap(({ lane, seq, conversation_id, event_id, at }): FeedItem[] => {
    if (lane === null) return [];
    positions.set(lane, toBigInt(seq));
    return [{ id: event_id, version: seq, type: REPLY_STATUS_POINTER, streamId: conversation_id, at: at.toISOString() }];
  });
  return { items, positions };
};
