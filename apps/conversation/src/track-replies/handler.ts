import { isType, type CloudEvent } from '@centralita/contracts';
import { mergeProgress, type ReplyProgress, type ReplyStatus } from '@centralita/domain-conversation';
import { OnEvents, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import { inOneTrip, type Part, type Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { laneOf, pointersTo, type StatusChange } from '../feed/reply-pointers.js';
import { contradictWindows } from '../record/lines.js';
import { lockSubjects } from '../record/lock.js';
import { addRows, readRows } from '../record/rows.js';

type Step = {
  readonly sendId: string;
  readonly progress: ReplyProgress;
  /** The provider's name for the message, where this step tells it. */
  readonly messageRef: string | null;
};

const stepOf = (event: CloudEvent): Step | null => {
  const step = (sendId: string, status: ReplyStatus, more: { code?: string; messageRef?: string } = {}): Step => ({
    sendId,
    progress: { status, code: more.code ?? null },
    messageRef: more.messageRef ?? null,
  });
  if (isType(event, 'whatsapp.reply.attempted.v1')) return step(event.data.sendId, 'attempted');
  if (isType(event, 'whatsapp.reply.accepted.v1'))
    return step(event.data.sendId, 'accepted', { messageRef: event.data.messageRef });
  if (isType(event, 'whatsapp.reply.unresolved.v1')) return step(event.data.sendId, 'unknown');
  if (!isType(event, 'whatsapp.reply.refused.v1')) return null;
  const { sendId, reason, providerCode } = event.data;
  return step(sendId, 'refused', { code: providerCode?.toString() ?? reason });
};

type SendRow = {
  readonly send_id: string;
  readonly conversation_id: string;
  readonly status: ReplyStatus;
  readonly status_code: string | null;
  readonly message_ref: string | null;
};

const climbed = (row: SendRow, { progress, messageRef }: Step): SendRow => {
  const { status, code } = mergeProgress({ status: row.status, code: row.status_code }, progress);
  // From its first name on, statuses by that reference are the reply's.
  return { ...row, status, status_code: code, message_ref: row.message_ref ?? messageRef };
};

const isSame = (a: SendRow, b: SendRow): boolean =>
  a.status === b.status && a.status_code === b.status_code && a.message_ref === b.message_ref;

/** Moves replies up their ladder and names them: one read, and what to write. */
const climb = async (tx: Tx, events: readonly ConsumedEvent[]): Promise<{ parts: Part[]; changes: StatusChange[] }> => {
  const steps = events.flatMap((by) => {
    const step = stepOf(by.event);
    return step ? [{ by, step }] : [];
  });
  if (steps.length === 0) return { parts: [], changes: [] };
  const rows = await readRows<SendRow>(
    tx,
    `select send_id, conversation_id, status, status_code, message_ref from thread_item
     where tenant_id = $1 and send_id = any ($2::uuid[])`,
    [tx.tenantId, steps.map(({ step }) => step.sendId)],
  );
  const sends = new Map(rows.map((row) => [row.send_id, row]));
  const changed = new Map<string, ConsumedEvent>();
  for (const { by, step } of steps) {
    const before = sends.get(step.sendId);
    // A send that is not ours belongs to another installation on the same number.
    if (!before) continue;
    const after = climbed(before, step);
    if (isSame(before, after)) continue;
    sends.set(step.sendId, after);
    changed.set(step.sendId, by);
  }
  const moved = [...changed].map(([sendId, by]) => ({ by, row: sends.get(sendId) as SendRow }));
  const update: Part = {
    sql: `update thread_item t set status = u.status, status_code = u.code, message_ref = u.ref
      from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as u (send_id, status, code, ref)
      where t.tenant_id = $1 and t.send_id = any ($2) and t.send_id = u.send_id`,
    values: [
      moved.map(({ row }) => row.send_id),
      moved.map(({ row }) => row.status),
      moved.map(({ row }) => row.status_code),
      moved.map(({ row }) => row.message_ref),
    ],
  };
  return {
    parts: moved.length === 0 ? [] : [update],
    changes: moved.map(({ by, row }) => ({ by, conversationId: row.conversation_id })),
  };
};

/** What became of replies and media at the edge. */
@Controller()
export class TrackReplies {
  @OnEvents('wa.outbound.v1', {
    handles: [
      'whatsapp.reply.attempted.v1',
      'whatsapp.reply.accepted.v1',
      'whatsapp.reply.refused.v1',
      'whatsapp.reply.unresolved.v1',
      'media.stored.v1',
      'media.lost.v1',
    ],
  })
  async handle(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    await lockSubjects(
      tx,
      batch.events.map(({ key }) => key),
    );
    // The provider's word about the window counts more than our clock.
    await contradictWindows(
      tx,
      batch.events.flatMap(({ event, key }) =>
        isType(event, 'whatsapp.reply.refused.v1') && event.data.reason === 'window_closed'
          ? [{ phoneNumberId: event.data.phoneNumberId, subjectId: key, at: event.time }]
          : [],
      ),
    );
    const { parts, changes } = await climb(tx, batch.events);
    inOneTrip(tx, [
      ...parts,
      ...addRows(
        'media_state',
        batch.events.flatMap(({ event }) => {
          if (isType(event, 'media.stored.v1')) return [{ media_id: event.data.mediaId, state: 'stored' }];
          return isType(event, 'media.lost.v1') ? [{ media_id: event.data.mediaId, state: 'lost' }] : [];
        }),
      ),
      ...pointersTo(laneOf(batch), changes),
    ]);
  }
}
