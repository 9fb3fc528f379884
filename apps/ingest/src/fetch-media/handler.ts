import { isType } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { MediaJobs } from './jobs.js';

/** Notes the media of every message; nothing is fetched inside the transaction. */
@Controller()
export class NoteMedia {
  constructor(private readonly jobs: MediaJobs) {}

  @OnEvents('wa.inbound.v1', {
    handles: ['whatsapp.message.received.v1'],
    ignores: [
      'whatsapp.status.changed.v1',
      'whatsapp.call.changed.v1',
      'whatsapp.echo.received.v1',
      'whatsapp.identity.changed.v1',
      'whatsapp.preference.changed.v1',
      'whatsapp.account.changed.v1',
      'whatsapp.unknown.received.v1',
    ],
  })
  async received({ events, tx }: EventBatch): Promise<void> {
    await this.jobs.add(
      tx as Tx,
      events.flatMap(({ event, key }) => {
        if (!isType(event, 'whatsapp.message.received.v1') || event.data.media === null) return [];
        const { subjectId, messageRef, phoneNumberId, media, sealed, providerTime } = event.data;
        const { mediaId, mimeType, sha256 } = media;
        const job = { mediaId, mimeType, sha256, subjectId, messageRef, phoneNumberId, sealed };
        return [{ ...job, key, providerTime: new Date(providerTime) }];
      }),
    );
  }
}
