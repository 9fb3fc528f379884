import pg from 'pg';
import { databaseError } from '../database-error.js';

/** How far the log is behind the store. On a connection of its own, so that a scrape does not stand in the way of a pass. */
export class OutboxAge {
  #pool: pg.Pool | undefined;

  constructor(private readonly url: string) {}

  async seconds(): Promise<number> {
    if (!this.#pool) {
      this.#pool = new pg.Pool({
        connectionString: this.url,
        max: 1,
        idleTimeoutMillis: 60_000,
        statement_timeout: 5_000,
        connectionTimeoutMillis: 5_000,
      });
      // An idle connection that breaks is replaced at the next scrape.
      this.#pool.on('error', () => undefined);
    }
    try {
      const { rows } = await this.#pool.query<{ age: string | null }>(
        `select extract(epoch from clock_timestamp() - min(e.recorded_at)) as age
         from key_head h
         join events e on e.tenant_id = h.tenant_id and e.topic = h.topic and e.key = h.key and e.key_version = h.published_version + 1
         where h.dirty_since is not null`,
      );
      return Math.max(0, Number(rows[0]?.age ?? 0));
    } catch (error) {
      throw databaseError(error);
    }
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }
}
