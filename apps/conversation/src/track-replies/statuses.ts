import type { TypedEvent } from '@centralita/contracts';
import {
  effectiveTime,
  mergeProgress,
  progressOfStatus,
  WINDOW_CLOSED_ERROR,
  type ReplyProgress,
  type ReplyStatus,
} from '@centralita/domain-conversation';
import type { ConsumedEvent } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import type { StatusChange } from '../feed/reply-pointers.js';
import { contradictWindows } from '../record/lines.js';
import { readRows, replaceRows, write } from '../record/rows.js';

export type ConsumedStatus = ConsumedEvent & { readonly event: TypedEvent<'whatsapp.status.changed.v1'> };

/** A status names the reply whose send it carries. First name stays. Tells the conversations of those that had none. */
const nameReplies = async (tx: Tx, statuses: readonly ConsumedStatus[]): Promise<StatusChange[]> => {
  const names = new Map(statuses.flatMap((by) => (by.event.data.sendId === null ? [] : [[by.event.data.sendId, by] as const])));
  if (names.size === 0) return [];
  const rows = await tx.query<{ send_id: string; conversation_id: string }>(
    `update thread_item t set message_ref = u.message_ref
     from unnest($2::uuid[], $3::text[]) as u (send_id, message_ref)
     where t.tenant_id = $1 and t.send_id = u.send_id and t.message_ref is null
     returning t.send_id, t.conversation_id`,
    [tx.tenantId, [...names.keys()], [...names.values()].map(({ event }) => event.data.messageRef)],
  );
  return rows.map(({ send_id, conversation_id }) => ({
    conversationId: conversation_id,
    by: names.get(send_id) as ConsumedStatus,
  }));
};

/** Puts statuses to what is known of their messages: one read, one write. Tells which messages' standing changed. */
const mergeStatuses = async (tx: Tx, statuses: readonly ConsumedStatus[]): Promise<Map<string, ConsumedStatus>> => {
  const changed = new Map<string, ConsumedStatus>();
  const steps = statuses.flatMap((by) => {
    const progress = progressOfStatus(by.event.data);
    return progress ? [{ by, ref: by.event.data.messageRef, progress }] : [];
  });
  if (steps.length === 0) return changed;
  const rows = await readRows<{ message_ref: string; status: ReplyStatus; status_code: string | null }>(
    tx,
    `select message_ref, status, status_code from message_status where tenant_id = $1 and message_ref = any ($2)`,
    [tx.tenantId, steps.map(({ ref }) => ref)],
  );
  const known = new Map<string, ReplyProgress>(
    rows.map((row) => [row.message_ref, { status: row.status, code: row.status_code }]),
  );
  for (const { by, ref, progress } of steps) {
    const before = known.get(ref);
    const after = before ? mergeProgress(before, progress) : progress;
    if (before?.status === after.status && before.code === after.code) continue;
    known.set(ref, after);
    changed.set(ref, by);
  }
  await write(tx, [
    replaceRows(
      'message_status',
      ['message_ref'],
      [...changed.keys()].map((ref) => {
        const { status, code } = known.get(ref) as ReplyProgress;
        return { message_ref: ref, status, status_code: code };
      }),
    ),
  ]);
  return changed;
};

/** Conversations that show these messages as replies or echoes. */
const showing = async (tx: Tx, changed: ReadonlyMap<string, ConsumedStatus>): Promise<StatusChange[]> => {
  if (changed.size === 0) return [];
  const rows = await tx.query<{ message_ref: string; conversation_id: string }>(
    `select message_ref, conversation_id from thread_item
     where tenant_id = $1 and message_ref = any ($2) and kind in ('reply', 'echo')`,
    [tx.tenantId, [...changed.keys()]],
  );
  return rows.map(({ message_ref, conversation_id }) => ({
    conversationId: conversation_id,
    by: changed.get(message_ref) as ConsumedStatus,
  }));
};

/**
 * Folds statuses by the message they are about. A status may come before the answer to the send, before anything, or for a message
 * that left by another way: it is kept by its reference, and whoever shows the message looks there. Tells whose threads show
 * something else now.
 */
export const applyStatuses = async (tx: Tx, statuses: readonly ConsumedStatus[]): Promise<StatusChange[]> => {
  if (statuses.length === 0) return [];
  const changed = await mergeStatuses(tx, statuses);
  const named = await nameReplies(tx, statuses);
  const shown = await showing(tx, changed);
  await contradictWindows(
    tx,
    statuses
      .filter(({ event }) => event.data.status === 'failed' && event.data.errorCodes.includes(WINDOW_CLOSED_ERROR))
      .map(({ event, key }) => ({
        phoneNumberId: event.data.phoneNumberId,
        subjectId: key,
        at: effectiveTime(event.data.providerTime, event.recordedtime),
      })),
  );
  return [...named, ...shown];
};
