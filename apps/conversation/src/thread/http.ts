import { page, ThreadItem, ThreadQuery, Uuid } from '@centralita/contracts';
import { Database, linkToStream } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { disclosure, Endpoint, route, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { Catalogue } from '../catalogue/catalogue.js';
import { lookFor, rightOf, subjectsOfEnvelopes } from '../record/desk.js';
import { listThread } from './query.js';
import { fieldsShown, showItem } from './show.js';

const readThread = route({
  method: 'GET',
  path: '/v1/conversations/:id/messages',
  summary: 'Messages, replies, notes and what happened, newest first.',
  roles: ['agent', 'supervisor'],
  params: z.object({ id: Uuid }),
  query: ThreadQuery,
  response: page(ThreadItem),
  audited: { action: 'conversation.thread.read', resource: 'conversation' },
});

@Controller()
export class ThreadController {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly catalogue: Catalogue,
  ) {}

  @Endpoint(readThread)
  async thread({ tenantId, actor, params, query }: InputOf<typeof readThread>): Promise<OutputOf<typeof readThread>> {
    const { rows, nextCursor, right } = await this.db.withTenant(tenantId, async (tx) => {
      await linkToStream(tx, params.id);
      const granted = rightOf(await lookFor(tx, params.id, actor));
      return { ...(await listThread(tx, params.id, query)), right: granted };
    });
    const subjects = subjectsOfEnvelopes(rows.map(({ sealed }) => sealed));
    const keys = await this.keyring.sealer(tenantId, subjects);
    const items = rows.map((row) => showItem(row, keys, this.catalogue.templates));
    return disclosure({
      body: { items, nextCursor },
      subjects,
      fields: fieldsShown(items),
      resultCount: items.length,
      reason: { code: right },
    });
  }
}
