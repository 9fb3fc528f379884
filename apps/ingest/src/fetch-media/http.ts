import { PlatformError, personal, Uuid } from '@centralita/contracts';
import { Keyring } from '@centralita/keyring';
import type { ObjectStore } from '@centralita/object-store';
import { binary, disclosure, Endpoint, route, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { MediaJobs } from './jobs.js';
import { MediaMemory } from './memory.js';

export const OBJECTS = Symbol('ingest:objects');

/** Types that a browser shows without running anything. What a customer calls `image/svg+xml` or `text/html` is never rendered. */
const INLINE = /^(image\/(jpeg|png|webp|gif)|audio\/[a-z0-9.+-]+|video\/[a-z0-9.+-]+)$/;
const MIME = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/;

const readMedia = route({
  method: 'GET',
  path: '/v1/media/:mediaId',
  summary: 'Bytes of a media that a customer sent.',
  roles: ['agent', 'supervisor'],
  params: z.object({ mediaId: Uuid }),
  response: personal(binary()),
  audited: { action: 'media.read', resource: 'media' },
});

@Controller()
export class MediaController {
  constructor(
    private readonly jobs: MediaJobs,
    private readonly keyring: Keyring,
    private readonly memory: MediaMemory,
    @Inject(OBJECTS) private readonly objects: ObjectStore,
  ) {}

  @Endpoint(readMedia)
  async read({ tenantId, params, signal }: InputOf<typeof readMedia>): Promise<OutputOf<typeof readMedia>> {
    const media = await this.jobs.find(tenantId, params.mediaId);
    if (!media) throw new PlatformError('NOT_FOUND', 'there is no such media, or not yet');
    const { subjectId, objectKey } = media;
    const keys = await this.keyring.sealer(tenantId, [subjectId]);
    if (keys.state(subjectId) === 'destroyed') throw new PlatformError('ERASED', 'the data of this customer has been erased');
    await this.memory.untilReadable(media.bytes, signal);
    const cipher = await this.objects.get(objectKey);
    if (!cipher)
      throw new PlatformError('UPSTREAM_UNAVAILABLE', 'the object store does not have the bytes', { mediaId: params.mediaId });
    const opened = keys.openBytes(subjectId, objectKey, cipher);
    if (opened.state === 'erased') throw new PlatformError('ERASED', 'the data of this customer has been erased');
    // Parameters such as codecs matter to nobody who plays the bytes, and are the sender's words.
    const type = (media.mimeType.split(';')[0] ?? '').trim().toLowerCase();
    const contentType = MIME.test(type) ? type : 'application/octet-stream';
    return disclosure({
      body: { bytes: opened.bytes, contentType, disposition: INLINE.test(contentType) ? 'inline' : 'attachment' },
      subjects: [subjectId],
      fields: ['media'],
      resultCount: 1,
    });
  }
}
