import type { TopicHandler } from '@centralita/event-log';
import { setTenant } from '../database.js';
import type { SystemTx } from '../types.js';
import { permanentCode } from './actions.js';
import { takeFresh, unreadableWasSkipped } from './duplicates.js';
import type { Incoming } from './incoming.js';
import { applyEvents } from './together.js';

const MAX_CONFLICT_RETRIES = 3;

/** Number of events applied (0 for a duplicate), or the code that parks the record. Errors that pass are thrown. */
export const applyOne = async (
  tx: SystemTx,
  groupId: string,
  incoming: Incoming,
  handler: TopicHandler,
  options: { acceptGaps?: boolean } = {},
): Promise<number | string> => {
  if (incoming.kind === 'poison') return incoming.code;
  const { tenantId, record } = incoming;
  for (let conflicts = 0; ; conflicts += 1) {
    await tx.query('savepoint one_record');
    try {
      await setTenant(tx, tenantId);
      const group = { tenantId, groupId, topic: record.topic };
      let fresh = await takeFresh(tx, group, [incoming], options);
      if (fresh.gaps.length > 0 && (await unreadableWasSkipped(tx, groupId, record.topic, incoming.key))) {
        await setTenant(tx, tenantId);
        fresh = await takeFresh(tx, group, [incoming], { acceptGaps: true });
      }
      const applied = fresh.gaps.length > 0 ? 'CAUSE_MISSING' : await applyEvents(tx, tenantId, fresh.events, handler);
      await tx.query('release savepoint one_record');
      return applied;
    } catch (error) {
      const code = permanentCode(error);
      if (code === null) throw error;
      await tx.query('rollback to savepoint one_record');
      await tx.query('release savepoint one_record');
      if (code !== 'VERSION_CONFLICT' || conflicts >= MAX_CONFLICT_RETRIES) return code;
    }
  }
};
