import type { MarketHint } from '@centralita/contracts';
import type { Database } from '@centralita/event-store';

/** What the send ledger knows about a message of ours. */
export type KnownSend = { readonly key: string; readonly marketHint: MarketHint };
export type StatusReference = { readonly sendId: string | null; readonly messageRef: string };

type Row = { send_id: string; message_ref: string | null; key: string; country: string | null; prefix: string | null };

/** Finds the sends that statuses speak of, by send id first and by message reference second, all in one query. */
export const findSends = async (
  db: Database,
  tenantId: string,
  statuses: readonly StatusReference[],
): Promise<(KnownSend | undefined)[]> => {
  if (statuses.length === 0) return [];
  const rows = await db.withTenant(tenantId, (tx) =>
    tx.query<Row>(
      `select send_id, message_ref, key, country, prefix from send where tenant_id = $1 and send_id = any($2::uuid[])
       union
       select send_id, message_ref, key, country, prefix from send where tenant_id = $1 and message_ref = any($3::text[])`,
      [tenantId, statuses.flatMap(({ sendId }) => sendId ?? []), statuses.map(({ messageRef }) => messageRef)],
    ),
  );
  const bySend = new Map(rows.map((row) => [row.send_id, row]));
  const byMessage = new Map(rows.map((row) => [row.message_ref, row]));
  return statuses.map(({ sendId, messageRef }) => {
    const row = (sendId === null ? undefined : bySend.get(sendId)) ?? byMessage.get(messageRef);
    return row && { key: row.key, marketHint: { country: row.country, prefix: row.prefix } };
  });
};
