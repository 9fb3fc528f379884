// When a round is over: everything that is on the log has been applied, and everything that was decided is on the log.
import { Topics, type Topic } from '@centralita/contracts';
import type { EventLog } from '@centralita/event-log';
import pg from 'pg';
import type { DatabaseName, Platform } from './platform.js';

const watched = ['ingest', 'conversation', 'routing', 'billing', 'audit_log'] as const satisfies readonly DatabaseName[];

/** What waits inside a service beyond its outbox. */
const waiting: Partial<Record<DatabaseName, string>> = {
  // Applied there is only handed to the writer.
  routing: 'select count(*) from domain_input where seq is null',
  // Taken in is not yet in the order of leaves.
  audit_log: 'select count(*) from intake',
};

type State = {
  readonly unpublished: string;
  readonly waiting: string;
  readonly positions: readonly { readonly topic: Topic; readonly partition: number; readonly next: string }[];
};
export type Ends = ReadonlyMap<string, bigint>;

export class Standstill {
  readonly #pools: readonly (readonly [DatabaseName, pg.Pool])[];

  constructor(
    private readonly log: EventLog,
    databases: Platform['databases'],
  ) {
    this.#pools = watched.map((name) => [name, new pg.Pool({ connectionString: databases[name].adminUrl, max: 1 })]);
  }

  /** Next offset of each partition of each topic. */
  async ends(): Promise<Ends> {
    const all = await Promise.all(
      Topics.map(async (topic) =>
        [...(await this.log.admin.endOffsets(topic))].map(([partition, end]) => [`${topic}:${partition}`, end] as const),
      ),
    );
    return new Map(all.flat());
  }

  /** What the conversation service has applied of a topic: next offset by partition. */
  async applied(topic: Topic): Promise<Map<number, bigint>> {
    const pool = this.#pools.find(([name]) => name === 'conversation')?.[1] as pg.Pool;
    const { rows } = await pool.query<{ partition: number; next: string }>(
      'select partition, next_offset as next from consumer_offset where topic = $1',
      [topic],
    );
    return new Map(rows.map(({ partition, next }) => [partition, BigInt(next)]));
  }

  /**
   * What still moves, by name; empty when nothing does. The ends are read before and after: who has applied all up to them and has nothing
   * to publish has not moved them, and nobody else is left who could.
   */
  async moving(): Promise<string[]> {
    const before = await this.ends();
    const states = await Promise.all(this.#pools.map(async ([name, pool]) => [name, await stateOf(name, pool)] as const));
    const after = await this.ends();
    const grown = [...after].some(([place, end]) => before.get(place) !== end);
    return [
      ...(grown ? ['the log grows'] : []),
      ...states.flatMap(([name, { unpublished, waiting: held, positions }]) => {
        const behind = positions.reduce(
          (sum, { topic, partition, next }) => sum + (before.get(`${topic}:${partition}`) ?? 0n) - BigInt(next),
          0n,
        );
        return [
          ...(behind > 0n ? [`${name} is ${behind} records behind`] : []),
          ...(unpublished === '0' ? [] : [`${name} has ${unpublished} keys to publish`]),
          ...(held === '0' ? [] : [`${held} wait in ${name}`]),
        ];
      }),
    ];
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map(([, pool]) => pool.end()));
  }
}

/** In one statement, so from one snapshot: what leaves one of these places is in the next one. */
const stateOf = async (name: DatabaseName, pool: pg.Pool): Promise<State> => {
  const { rows } = await pool.query<State>(
    `select (select count(*) from key_head where dirty_since is not null) as unpublished,
            (${waiting[name] ?? 'select 0'})::text as waiting,
            (select coalesce(json_agg(json_build_object('topic', topic, 'partition', partition, 'next', next_offset::text)), '[]')
               from consumer_offset) as positions`,
  );
  return rows[0] as State;
};
