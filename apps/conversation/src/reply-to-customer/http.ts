import { Accepted, PlatformError, ReplyBody, Uuid } from '@centralita/contracts';
import { Commands } from '@centralita/event-store';
import { Endpoint, reply, route, type InputOf, type OutputOf } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { ReplyToCustomer } from './command.js';

const requestReply = route({
  method: 'POST',
  path: '/v1/conversations/:id/replies',
  summary: 'Answers the customer, in free text inside the window, else by a template. If-Match: the ETag of the conversation.',
  roles: ['agent', 'supervisor'],
  params: z.object({ id: Uuid }),
  body: ReplyBody,
  response: Accepted,
  status: 202,
  idempotent: true,
  ifMatch: 'required',
});

@Controller()
export class ReplyController {
  constructor(
    private readonly commands: Commands,
    private readonly replyToCustomer: ReplyToCustomer,
  ) {}

  @Endpoint(requestReply)
  async reply({
    tenantId,
    actor,
    params,
    body,
    command,
    ifMatch,
  }: InputOf<typeof requestReply>): Promise<OutputOf<typeof requestReply>> {
    const { result } = await this.commands.run({
      tenantId,
      ...command,
      work: (tx) => this.replyToCustomer.run(tx, { conversationId: params.id, actor, body, expectedVersion: ifMatch ?? '' }),
    });
    // The refusal has been recorded; only now does it become the answer.
    if (result.outcome === 'refused')
      throw new PlatformError(result.code, 'outside the customer service window only a template may be sent');
    const { id, version, token } = result;
    return reply({ id, version }, { etag: version, ...(token === null ? {} : { causalToken: token }) });
  }
}
