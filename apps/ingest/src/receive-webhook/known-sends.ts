import type { MarketHint } from '@centralita/contracts';
import type { Database } from '@centralita/event-store';
import { LRUCache } from 'lru-cache';

/** What the send ledger knows about a message of ours; it never changes. */
export type KnownSend = { readonly key: string; readonly marketHint: MarketHint };
export type StatusReference = { readonly sendId: string | null; readonly messageRef: string };

type Row = { send_id: string; message_ref: string | null; key: string; country: string | null; prefix: string | null };

const CACHED = 100_000;

/** Finds the sends that statuses speak of. Each message has several statuses: what was found is remembered, what was not is not. */
export class KnownSends {
  readonly #cache = new LRUCache<string, KnownSend>({ max: CACHED });

  constructor(private readonly db: Database) {}

  /** By send id first and by message reference second, all that are not remembered in one query. */
  async find(tenantId: string, statuses: readonly StatusReference[]): Promise<(KnownSend | undefined)[]> {
    const cacheKey = ({ sendId, messageRef }: StatusReference): string => `${tenantId}|${sendId ?? messageRef}`;
    const known = statuses.map((status) => this.#cache.get(cacheKey(status)));
    const asked = statuses.filter((_, at) => known[at] === undefined);
    if (asked.length === 0) return known;
    const find = await this.#read(tenantId, asked);
    return statuses.map((status, at) => {
      const send = known[at] ?? find(status);
      if (send) this.#cache.set(cacheKey(status), send);
      return send;
    });
  }

  async #read(
    tenantId: string,
    statuses: readonly StatusReference[],
  ): Promise<(status: StatusReference) => KnownSend | undefined> {
    const rows = await this.db.withTenant(tenantId, (tx) =>
      tx.query<Row>(
        `select send_id, message_ref, key, country, prefix from send where tenant_id = $1 and send_id = any($2::uuid[])
         union
         select send_id, message_ref, key, country, prefix from send where tenant_id = $1 and message_ref = any($3::text[])`,
        [tenantId, statuses.flatMap(({ sendId }) => sendId ?? []), statuses.map(({ messageRef }) => messageRef)],
      ),
    );
    const bySend = new Map(rows.map((row) => [row.send_id, row]));
    const byMessage = new Map(rows.map((row) => [row.message_ref, row]));
    return ({ sendId, messageRef }) => {
      const row = (sendId === null ? undefined : bySend.get(sendId)) ?? byMessage.get(messageRef);
      return row && { key: row.key, marketHint: { country: row.country, prefix: row.prefix } };
    };
  }
}
