import type { TypedEvent } from '@centralita/contracts';
import {
  contradictWindow,
  effectiveTime,
  mergeProgress,
  progressOfStatus,
  WINDOW_CLOSED_ERROR,
  type ReplyProgress,
  type ReplyStatus,
} from '@centralita/domain-conversation';
import type { ConsumedEvent } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { changeWindows } from '../record/lines.js';
import { readRows, writeRows } from '../record/rows.js';

export type ConsumedStatus = ConsumedEvent & { readonly event: TypedEvent<'whatsapp.status.changed.v1'> };

/** The provider named a message of ours: from now on statuses by that reference are the reply's. First name stays. */
export const nameReplies = async (
  tx: Tx,
  names: readonly { readonly sendId: string; readonly messageRef: string }[],
): Promise<void> => {
  if (names.length === 0) return;
  await tx.execute(
    `update thread_item t set message_ref = u.message_ref
     from (select distinct on (send_id) * from unnest($2::uuid[], $3::text[]) as u (send_id, message_ref)) u
     where t.tenant_id = $1 and t.send_id = u.send_id and t.message_ref is null`,
    [tx.tenantId, names.map(({ sendId }) => sendId), names.map(({ messageRef }) => messageRef)],
  );
};

const merge = (known: Map<string, ReplyProgress>, ref: string, progress: ReplyProgress): void => {
  const before = known.get(ref);
  known.set(ref, before ? mergeProgress(before, progress) : progress);
};

/**
 * Folds statuses by the message they are about. A status may come before the answer to the send, before anything, or for a message
 * that left by another way: it is kept by its reference, and whoever shows the message looks there.
 */
export const applyStatuses = async (tx: Tx, statuses: readonly ConsumedStatus[]): Promise<void> => {
  const progress = statuses.flatMap(({ event }) => {
    const step = progressOfStatus(event.data);
    return step ? [{ ref: event.data.messageRef, step }] : [];
  });
  if (progress.length > 0) {
    const rows = await readRows<{ message_ref: string; status: ReplyStatus; status_code: string | null }>(
      tx,
      `select message_ref, status, status_code from message_status where tenant_id = $1 and message_ref = any ($2)`,
      [tx.tenantId, progress.map(({ ref }) => ref)],
    );
    const known = new Map(rows.map((row) => [row.message_ref, { status: row.status, code: row.status_code }]));
    for (const { ref, step } of progress) merge(known, ref, step);
    await writeRows(
      tx,
      'message_status',
      ['message_ref'],
      [...known].map(([message_ref, { status, code }]) => ({ message_ref, status, status_code: code })),
    );
  }
  await nameReplies(
    tx,
    statuses.flatMap(({ event: { data } }) =>
      data.sendId === null ? [] : [{ sendId: data.sendId, messageRef: data.messageRef }],
    ),
  );
  await changeWindows(
    tx,
    statuses
      .filter(({ event }) => event.data.status === 'failed' && event.data.errorCodes.includes(WINDOW_CLOSED_ERROR))
      .map(({ event, key }) => {
        const at = effectiveTime(event.data.providerTime, event.recordedtime);
        return { phoneNumberId: event.data.phoneNumberId, subjectId: key, change: (window) => contradictWindow(window, at) };
      }),
  );
};
