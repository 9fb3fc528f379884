import { isTraced, linkTraces } from '@centralita/event-log';
import type { Tx } from './types.js';

/** The newest events of a stream are what a reader came for. */
const NEWEST = 32;

/**
 * Links the active span, a look at a stream's projection, to the traces in which its newest events were decided: from a message's trace to
 * who saw it, and so to the leaf in the ledger. Asks the database only when the span is recorded.
 */
export const linkToStream = async (tx: Tx, streamId: string): Promise<void> => {
  if (!isTraced()) return;
  const rows = await tx.query<{ traceparent: string | null }>(
    `select meta->>'traceparent' as traceparent from events where tenant_id = $1 and stream_id = $2
     order by stream_version desc limit $3`,
    [tx.tenantId, streamId, NEWEST],
  );
  linkTraces(rows.flatMap(({ traceparent }) => traceparent ?? []));
};
