import { ConversationDetail, InboxQuery, InboxRow, page, Uuid, type ReasonCode } from '@centralita/contracts';
import { mayReply, replyVersion } from '@centralita/domain-conversation';
import { Database } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { CLOCK, disclosure, Endpoint, route, type Clock, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { Catalogue } from '../catalogue/catalogue.js';
import { caseActor, isSupervisor, lookFor, rightOf, subjectsOfEnvelopes } from '../record/desk.js';
import { listInbox, type ListedConversation } from './query.js';
import { fieldsShown, showRow, showSummary } from './show.js';

const readInbox = route({
  method: 'GET',
  path: '/v1/inbox',
  summary: 'Conversations that the caller may see, by view and sort.',
  roles: ['agent', 'supervisor'],
  query: InboxQuery,
  response: page(InboxRow),
  audited: { action: 'conversation.inbox.read', resource: 'inbox' },
});
const readDetail = route({
  method: 'GET',
  path: '/v1/conversations/:id',
  summary: 'One conversation, with what the caller may answer now; its ETag goes into the If-Match of a reply.',
  roles: ['agent', 'supervisor'],
  params: z.object({ id: Uuid }),
  response: ConversationDetail,
  audited: { action: 'conversation.read', resource: 'conversation' },
});

/** By what right a list was shown: what is one's own, what waits, or supervision. */
const reasonOf = (view: z.output<typeof InboxQuery>['view'], supervisor: boolean): ReasonCode => {
  if (view === 'mine') return 'ASSIGNED_CONVERSATION';
  if (view === 'unassigned') return 'QUEUE_TRIAGE';
  if (supervisor) return 'SUPERVISION_QA';
  return view === 'closed' ? 'ASSIGNED_CONVERSATION' : 'QUEUE_TRIAGE';
};

@Controller()
export class InboxController {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(readInbox)
  async inbox({ tenantId, actor, query }: InputOf<typeof readInbox>): Promise<OutputOf<typeof readInbox>> {
    const { rows, nextCursor } = await this.db.withTenant(tenantId, (tx) =>
      listInbox(tx, caseActor(actor), query, this.clock().toISOString()),
    );
    const subjects = subjectsOfEnvelopes(rows.flatMap((row) => [row.last_sealed, row.profile_sealed]));
    const keys = await this.keyring.sealer(tenantId, subjects);
    const { templates } = this.catalogue;
    const items = rows.map((row) => showRow(row, { keys, templates, businessNumber: this.#nameOf(tenantId, row) }));
    return disclosure({
      body: { items, nextCursor },
      subjects,
      fields: fieldsShown(
        items,
        items.map(({ preview }) => preview),
      ),
      resultCount: items.length,
      resource: { type: 'inbox', id: query.view },
      reason: { code: reasonOf(query.view, isSupervisor(actor)) },
      list: true,
    });
  }

  @Endpoint(readDetail)
  async detail({ tenantId, actor, params }: InputOf<typeof readDetail>): Promise<OutputOf<typeof readDetail>> {
    const look = await this.db.withTenant(tenantId, (tx) => lookFor(tx, params.id, actor));
    const right = rightOf(look);
    const { row, assignment } = look;
    const subjects = subjectsOfEnvelopes([row.profile_sealed]);
    const keys = await this.keyring.sealer(tenantId, subjects);
    const shown = { keys, templates: this.catalogue.templates, businessNumber: this.#nameOf(tenantId, row) };
    const rule = mayReply({
      now: this.clock().toISOString(),
      window: { openedAt: row.window_opened_at, contradictedAt: row.window_contradicted_at },
      assignment,
      state: row.status,
      actor,
    });
    const version = replyVersion(row.outbound_version, row.assignment_version);
    const summary = showSummary(row, shown);
    return disclosure({
      body: {
        ...summary,
        contactId: row.contact_id,
        ordinal: row.ordinal,
        openedAt: row.opened_at,
        closedAt: row.closed_at,
        dispositionCode: row.disposition_code,
        replyVersion: version,
        mayReply: rule.may,
        whyNot: rule.because,
      },
      subjects,
      fields: fieldsShown([summary]),
      resultCount: 1,
      reason: { code: right },
      etag: version,
    });
  }

  #nameOf(tenantId: string, row: ListedConversation): string {
    return this.catalogue.nameOf(tenantId, row.phone_number_id);
  }
}
