import { isType, type CloudEvent } from '@centralita/contracts';
import { contradictWindow, mergeProgress, type ReplyProgress, type ReplyStatus } from '@centralita/domain-conversation';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { changeWindows } from '../record/lines.js';
import { lockSubjects } from '../record/lock.js';
import { addRows, readRows } from '../record/rows.js';
import { nameReplies } from './statuses.js';

type Step = { readonly sendId: string; readonly progress: ReplyProgress };

const stepOf = (event: CloudEvent): Step | null => {
  if (isType(event, 'whatsapp.reply.attempted.v1'))
    return { sendId: event.data.sendId, progress: { status: 'attempted', code: null } };
  if (isType(event, 'whatsapp.reply.accepted.v1'))
    return { sendId: event.data.sendId, progress: { status: 'accepted', code: null } };
  if (isType(event, 'whatsapp.reply.unresolved.v1'))
    return { sendId: event.data.sendId, progress: { status: 'unknown', code: null } };
  if (!isType(event, 'whatsapp.reply.refused.v1')) return null;
  const { sendId, reason, providerCode } = event.data;
  return { sendId, progress: { status: 'refused', code: providerCode?.toString() ?? reason } };
};

/** Moves replies up their ladder: one read, one write. */
const climb = async (tx: Tx, steps: readonly Step[]): Promise<void> => {
  if (steps.length === 0) return;
  const rows = await readRows<{ send_id: string; status: ReplyStatus; status_code: string | null }>(
    tx,
    `select send_id, status, status_code from thread_item where tenant_id = $1 and send_id = any ($2::uuid[])`,
    [tx.tenantId, steps.map(({ sendId }) => sendId)],
  );
  const known = new Map<string, ReplyProgress>(rows.map((row) => [row.send_id, { status: row.status, code: row.status_code }]));
  for (const { sendId, progress } of steps) {
    const before = known.get(sendId);
    // A send that is not ours belongs to another installation on the same number.
    if (before) known.set(sendId, mergeProgress(before, progress));
  }
  await tx.execute(
    `update thread_item t set status = u.status, status_code = u.code
     from unnest($2::uuid[], $3::text[], $4::text[]) as u (send_id, status, code)
     where t.tenant_id = $1 and t.send_id = u.send_id`,
    [
      tx.tenantId,
      [...known.keys()],
      [...known.values()].map(({ status }) => status),
      [...known.values()].map(({ code }) => code),
    ],
  );
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
    await climb(
      tx,
      batch.events.flatMap(({ event }) => stepOf(event) ?? []),
    );
    await nameReplies(
      tx,
      batch.events.flatMap(({ event }) => (isType(event, 'whatsapp.reply.accepted.v1') ? [event.data] : [])),
    );
    // The provider's word about the window counts more than our clock.
    await changeWindows(
      tx,
      batch.events.flatMap(({ event, key }) =>
        isType(event, 'whatsapp.reply.refused.v1') && event.data.reason === 'window_closed'
          ? [
              {
                phoneNumberId: event.data.phoneNumberId,
                subjectId: key,
                change: (window) => contradictWindow(window, event.time),
              },
            ]
          : [],
      ),
    );
    await addRows(
      tx,
      'media_state',
      batch.events.flatMap(({ event }) => {
        if (isType(event, 'media.stored.v1')) return [{ media_id: event.data.mediaId, state: 'stored' }];
        return isType(event, 'media.lost.v1') ? [{ media_id: event.data.mediaId, state: 'lost' }] : [];
      }),
    );
  }
}
