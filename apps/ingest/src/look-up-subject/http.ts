import { PlatformError, SubjectLookup, SubjectLookupBody } from '@centralita/contracts';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { CLOCK, disclosure, Endpoint, route, type Clock, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { identityOf, isAnonymous } from '@centralita/whatsapp';
import { Controller, Inject } from '@nestjs/common';
import { Directory, indexIdentity } from '../directory/directory.js';

const lookUpSubject = route({
  method: 'POST',
  path: '/v1/subjects/lookup',
  summary: 'The subject of a phone number or BSUID, so that its history can be examined.',
  roles: ['compliance'],
  body: SubjectLookupBody,
  response: SubjectLookup,
  audited: { action: 'subject.lookup', resource: 'subject' },
});

/** The one way from an identifier to a subject; the other way does not exist. */
@Controller()
export class SubjectController {
  readonly #directory: Directory;

  constructor(
    db: Database,
    private readonly keyring: Keyring,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.#directory = new Directory(db);
  }

  @Endpoint(lookUpSubject)
  async lookUp({ tenantId, body }: InputOf<typeof lookUpSubject>): Promise<OutputOf<typeof lookUpSubject>> {
    const identity = identityOf([body.phone, body.bsuid]);
    const references = await this.keyring.references(tenantId);
    const subjectId = isAnonymous(identity)
      ? null
      : await this.#directory.find(tenantId, indexIdentity(references, identity, this.clock().getTime()));
    if (subjectId === null) throw new PlatformError('NOT_FOUND', 'nobody is known by this identifier');
    return disclosure({
      body: { subjectId },
      subjects: [subjectId],
      fields: ['subject_id'],
      resultCount: 1,
      resource: { type: 'subject', id: subjectId },
    });
  }
}
