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
import { inOneTrip, type Tx } from '@centralita/event-store';
import { pointersTo, type StatusChange } from '../feed/reply-pointers.js';
import { contradictWindows } from '../record/lines.js';
import { replaceRows } from '../record/rows.js';

export type ConsumedStatus = ConsumedEvent & { readonly event: TypedEvent<'whatsapp.status.changed.v1'> };

type Known = {
  readonly standing: readonly { readonly ref: string; readonly status: ReplyStatus; readonly code: string | null }[];
  /** Replies and echoes that the statuses are about, by reference or by send. */
  readonly lines: readonly { readonly ref: string | null; readonly sendId: string | null; readonly conversationId: string }[];
};

const readKnown = async (tx: Tx, statuses: readonly ConsumedStatus[]): Promise<Known> => {
  const [known] = await tx.query<Known>(
    `select (select coalesce(jsonb_agg(jsonb_build_object('ref', message_ref, 'status', status, 'code', status_code)), '[]')
               from message_status where tenant_id = $1 and message_ref = any ($2)) as standing,
            (select coalesce(jsonb_agg(jsonb_build_object('ref', message_ref, 'sendId', send_id, 'conversationId', conversation_id)), '[]')
               from thread_item
              where tenant_id = $1 and kind in ('reply', 'echo') and (message_ref = any ($2) or send_id = any ($3::uuid[]))) as lines`,
    [tx.tenantId, statuses.map(({ event }) => event.data.messageRef), statuses.flatMap(({ event }) => event.data.sendId ?? [])],
  );
  return known ?? { standing: [], lines: [] };
};

/** What is said of each message now, of those of which something else was said before, and by which status. */
const merged = (
  standing: Known['standing'],
  statuses: readonly ConsumedStatus[],
): Map<string, { progress: ReplyProgress; by: ConsumedStatus }> => {
  const known = new Map<string, ReplyProgress>(standing.map(({ ref, status, code }) => [ref, { status, code }]));
  const changed = new Map<string, { progress: ReplyProgress; by: ConsumedStatus }>();
  for (const by of statuses) {
    const { messageRef } = by.event.data;
    const said = progressOfStatus(by.event.data);
    if (!said) continue;
    const before = known.get(messageRef);
    const progress = before ? mergeProgress(before, said) : said;
    if (before?.status === progress.status && before.code === progress.code) continue;
    known.set(messageRef, progress);
    changed.set(messageRef, { progress, by });
  }
  return changed;
};

/** Names of replies that had none, told by statuses that carry their sends. First name stays. */
const named = (lines: Known['lines'], statuses: readonly ConsumedStatus[]): Map<string, ConsumedStatus> => {
  const nameless = new Set(lines.flatMap(({ ref, sendId }) => (ref === null && sendId !== null ? [sendId] : [])));
  const names = new Map<string, ConsumedStatus>();
  for (const by of statuses) {
    const { sendId } = by.event.data;
    if (sendId !== null && nameless.has(sendId) && !names.has(sendId)) names.set(sendId, by);
  }
  return names;
};

/**
 * Folds statuses by the message they are about: one read, one write. A status may come before the answer to the send, before anything,
 * or for a message that left by another way: it is kept by its reference, and whoever shows the message looks there. Points at the
 * conversations that show something else now.
 */
export const applyStatuses = async (tx: Tx, lane: number, statuses: readonly ConsumedStatus[]): Promise<void> => {
  if (statuses.length === 0) return;
  await contradictWindows(
    tx,
    statuses
      // As with its status: what fails for one participant says nothing about the group.
      .filter(
        ({ event: { data } }) =>
          data.status === 'failed' && data.participant === '-' && data.errorCodes.includes(WINDOW_CLOSED_ERROR),
      )
      .map(({ event, key }) => ({
        phoneNumberId: event.data.phoneNumberId,
        subjectId: key,
        at: effectiveTime(event.data.providerTime, event.recordedtime),
      })),
  );
  const { standing, lines } = await readKnown(tx, statuses);
  const changed = merged(standing, statuses);
  const names = named(lines, statuses);
  const changes = lines.flatMap(({ ref, sendId, conversationId }): StatusChange[] => {
    const by = (sendId === null ? undefined : names.get(sendId)) ?? (ref === null ? undefined : changed.get(ref)?.by);
    return by ? [{ conversationId, by }] : [];
  });
  inOneTrip(tx, [
    ...replaceRows(
      'message_status',
      ['message_ref'],
      [...changed].map(([message_ref, { progress }]) => ({ message_ref, status: progress.status, status_code: progress.code })),
    ),
    ...(names.size === 0
      ? []
      : [
          {
            sql: `update thread_item t set message_ref = u.message_ref from unnest($2::uuid[], $3::text[]) as u (send_id, message_ref)
              where t.tenant_id = $1 and t.send_id = any ($2) and t.send_id = u.send_id`,
            values: [[...names.keys()], [...names.values()].map(({ event }) => event.data.messageRef)],
          },
        ]),
    ...pointersTo(lane, changes),
  ]);
};
