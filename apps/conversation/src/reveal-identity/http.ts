import { PlatformError, RevealBody, Revealed, Uuid } from '@centralita/contracts';
import { profileOf, rightToLook } from '@centralita/domain-conversation';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { CLOCK, disclosure, Endpoint, route, type Clock, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { lookFor } from '../record/desk.js';
import { openItem } from '../record/envelopes.js';

/** How long a client may go on showing what was revealed. */
const REVEAL_MS = 5 * 60_000;

const reveal = route({
  method: 'POST',
  path: '/v1/conversations/:id/reveal',
  summary: 'Shows the identifiers of the customer in full, for a reason that is recorded.',
  roles: ['agent', 'supervisor'],
  params: z.object({ id: Uuid }),
  body: RevealBody,
  response: Revealed,
  audited: { action: 'conversation.identity.reveal', resource: 'conversation' },
});

@Controller()
export class RevealController {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(reveal)
  async reveal({ tenantId, actor, params, body }: InputOf<typeof reveal>): Promise<OutputOf<typeof reveal>> {
    const { row, assignment, viewer } = await this.db.withTenant(tenantId, (tx) => lookFor(tx, params.id, actor));
    // What waits may be looked at; who it is concerns only whoever works on it.
    const right = rightToLook(
      { ...viewer, queueIds: [] },
      { assignment: { ...assignment, offeredAgentId: null }, closed: row.status === 'closed' },
    );
    if (right === null) throw new PlatformError('FORBIDDEN', 'this conversation is not yours');
    const sealed = row.profile_sealed;
    if (!sealed) throw new PlatformError('NOT_FOUND', 'the customer has not written here');
    const keys = await this.keyring.sealer(tenantId, [sealed.subject]);
    const plaintext = openItem(keys, sealed);
    if (!plaintext) throw new PlatformError('ERASED', 'the data of this customer has been erased');
    const { phone, bsuid } = profileOf(plaintext);
    return disclosure({
      body: { phone, bsuid, expiresAt: new Date(this.clock().getTime() + REVEAL_MS).toISOString() },
      subjects: [sealed.subject],
      fields: [...(phone === null ? [] : (['phone'] as const)), ...(bsuid === null ? [] : (['bsuid'] as const))],
      resultCount: 1,
      reason: { code: body.reason, ...(body.note === undefined ? {} : { text: body.note }) },
    });
  }
}
