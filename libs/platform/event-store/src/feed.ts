import { PlatformError, type Topic } from '@centralita/contracts';
import { z } from 'zod';
import { toBigInt, type FeedItem, type FeedPage, type Tx } from './types.js';

/**
 * The cursor is a vector: the last position seen in each of the topic's buckets.
 *
 * Why it never misses: no position is given at append, where commits overtake each other. The relay gives it when the log has
 * acknowledged, in the transaction that moves the head (`relay_published`), under the row lock of the bucket's feed head. That lock is
 * held until commit, so positions of a bucket become visible in order and without gaps, also when two relays meet; per key they
 * follow key_version. A position that is visible means that all before it are.
 */
const Cursor = z.record(z.string().regex(/^\d{1,2}$/), z.string().regex(/^(0|[1-9]\d{0,18})$/));
type Positions = ReadonlyMap<number, bigint>;

const encode = (positions: Positions): string =>
  Buffer.from(JSON.stringify(Object.fromEntries([...positions].map(([bucket, seq]) => [bucket, seq.toString()])))).toString(
    'base64url',
  );

const decode = (cursor: string): Map<number, bigint> => {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    json = null;
  }
  const parsed = Cursor.safeParse(json);
  if (!parsed.success) throw new PlatformError('VALIDATION_FAILED', 'this is not a cursor of this feed');
  return new Map(Object.entries(parsed.data).map(([bucket, seq]) => [Number(bucket), BigInt(seq)]));
};

/** The cursor of now: a client takes it, then reads its views, then follows the feed from here. */
export const feedHead = async (tx: Tx, topic: Topic): Promise<string> => {
  const heads = await tx.query<{ bucket: number; last_seq: string }>(
    `select bucket, last_seq from feed_head where tenant_id = $1 and topic = $2`,
    [tx.tenantId, topic],
  );
  return encode(new Map(heads.map(({ bucket, last_seq }) => [bucket, toBigInt(last_seq)])));
};

/**
 * Pointers to the tenant's published events of one topic after a cursor, at most `limit`; null reads what is kept from the beginning,
 * see {@link feedHead} for now. Per key in order, across keys nearly: the client treats a pointer as "look again". Throws
 * VALIDATION_FAILED for what is no cursor, and CURSOR_GONE for one from before the pointers that are kept, and for one from after the
 * newest, which a database that was put back gave before: going on there would leave some out.
 */
export const feed = async (tx: Tx, topic: Topic, cursor: string | null, limit: number): Promise<FeedPage> => {
  const positions = cursor === null ? new Map<number, bigint>() : decode(cursor);
  const rows = await tx.query<{
    gone: boolean;
    bucket: number | null;
    seq: string;
    event_id: string;
    stream_version: string;
    type: string;
    stream_id: string;
    recorded_at: Date;
  }>(
    // One statement, and so one snapshot: what is removed between two would be missed. It gives a row in any case, to say that.
    `with given as (
       select * from unnest($3::smallint[], $4::bigint[]) as c(bucket, seq)
     ), head as materialized (
       select h.*, coalesce(c.seq, 0) as after from feed_head h left join given c on c.bucket = h.bucket
       where h.tenant_id = $1 and h.topic = $2
     ), page as (
       select f.bucket, f.seq, e.event_id, e.stream_version, e.type, e.stream_id, e.recorded_at,
              max(e.recorded_at) over (partition by f.bucket order by f.seq) as place
       from head h
       cross join lateral (
         select * from feed_entry f where f.tenant_id = h.tenant_id and f.topic = h.topic and f.bucket = h.bucket and f.seq > h.after
         order by f.seq limit $5) f
       join events e on e.tenant_id = f.tenant_id and e.topic = f.topic and e.key = f.key and e.key_version = f.key_version
       where h.last_seq > h.after
       order by place, f.bucket, f.seq limit $5
     )
     select s.gone, p.*
     from (select exists (select from head where after < purged_seq or after > last_seq)
               or exists (select from given c where seq > 0 and not exists (select from head h where h.bucket = c.bucket)) as gone) s
     left join page p on true
     order by p.place, p.bucket, p.seq`,
    [tx.tenantId, topic, [...positions.keys()], [...positions.values()], limit],
  );
  if (cursor !== null && rows[0]?.gone)
    throw new PlatformError(
      'CURSOR_GONE',
      'nothing is known any more of where this cursor was: read the views again, then follow from now',
    );
  // By time, but never against the order of a bucket: a page takes a prefix of each, or the cursor would pass over what it left out.
  const items = rows.flatMap((row): FeedItem[] => {
    if (row.bucket === null) return [];
    positions.set(row.bucket, toBigInt(row.seq));
    const { event_id: id, stream_version: version, type, stream_id: streamId, recorded_at } = row;
    return [{ id, version, type, streamId, at: recorded_at.toISOString() }];
  });
  return { items, cursor: encode(positions) };
};
