import pg from 'pg';
import { Client } from '../connection.js';
import { databaseError } from '../database-error.js';

export type OutboxState = {
  /** Events that are committed and not on the log, over all tenants. */
  readonly depth: number;
  /** Seconds since the oldest of them was recorded; 0 without any. */
  readonly oldestSeconds: number;
};

/** What is asked of the outbox beside publishing it. On a connection of its own, so that nothing here stands in the way of a pass. */
export class Outbox {
  #pool: pg.Pool | undefined;

  constructor(private readonly url: string) {}

  async state(): Promise<OutboxState> {
    const [row] = await this.#query<{ depth: string; age: string | null }>(
      `select coalesce(sum(h.last_version - h.published_version), 0) as depth, extract(epoch from clock_timestamp() - min(e.recorded_at)) as age
       from key_head h
       left join events e on e.tenant_id = h.tenant_id and e.topic = h.topic and e.key = h.key and e.key_version = h.published_version + 1
       where h.dirty_since is not null`,
    );
    return { depth: Number(row?.depth ?? 0), oldestSeconds: Math.max(0, Number(row?.age ?? 0)) };
  }

  /** Removes what is only kept for a while, at most `limit` rows of each kind. Returns how many; 0 while another relay does it. */
  async removeExpired(limit: number): Promise<number> {
    const [row] = await this.#query<{ removed: string }>(`select remove_expired($1) as removed`, [limit]);
    return Number(row?.removed ?? 0);
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }

  async #query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    if (!this.#pool) {
      this.#pool = new pg.Pool({
        Client,
        connectionString: this.url,
        max: 1,
        idleTimeoutMillis: 60_000,
        statement_timeout: 5_000,
        connectionTimeoutMillis: 5_000,
      });
      // An idle connection that breaks is replaced at the next question.
      this.#pool.on('error', () => undefined);
    }
    try {
      return (await this.#pool.query<Row>(sql, [...parameters])).rows;
    } catch (error) {
      throw databaseError(error);
    }
  }
}
