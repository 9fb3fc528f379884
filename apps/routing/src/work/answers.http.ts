import { Accepted, PlatformError, Uuid } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import { Endpoint, route, type InputOf, type Reply } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { taskStream } from '../ids.js';
import { RoutingCommands } from '../inputs/commands.js';
import { hadTask, taskOfOffer } from '../read/queries.js';

const answer = <Verb extends 'accept' | 'decline'>(verb: Verb, summary: string) =>
  route({
    method: 'POST',
    path: `/v1/offers/:reservationId/${verb}`,
    summary,
    roles: ['agent'],
    params: z.object({ reservationId: Uuid }),
    response: Accepted,
    idempotent: true,
  });
const acceptOffer = answer('accept', 'Take an offer: the conversation is assigned to me. 410 when it was too late.');
const declineOffer = answer(
  'decline',
  'Refuse an offer: the conversation keeps its place in the queue. 410 when it was too late.',
);

const completeTask = route({
  method: 'POST',
  path: '/v1/tasks/:taskId/complete',
  summary: 'End my wrap-up early: my place is free again.',
  roles: ['agent'],
  params: z.object({ taskId: Uuid }),
  response: Accepted,
  idempotent: true,
});

/** An agent's answers to offers, and the end of wrap-up. */
@Controller()
export class AnswersController {
  constructor(private readonly commands: RoutingCommands) {}

  @Endpoint(acceptOffer)
  async accept(input: InputOf<typeof acceptOffer>): Promise<Reply<Accepted>> {
    return this.#answer('offer.accepted', input);
  }

  @Endpoint(declineOffer)
  async decline(input: InputOf<typeof declineOffer>): Promise<Reply<Accepted>> {
    return this.#answer('offer.declined', input);
  }

  @Endpoint(completeTask)
  async complete(input: InputOf<typeof completeTask>): Promise<Reply<Accepted>> {
    const { taskId } = input.params;
    const agentId = input.actor.id;
    return this.commands.send(input, { kind: 'wrap-up.ended', taskId, agentId }, async (tx) => {
      // Whoever never had it must not learn that it is there.
      if (!(await hadTask(tx, taskId, agentId))) throw new PlatformError('NOT_FOUND', 'no such task');
      return task(tx, taskId);
    });
  }

  async #answer(kind: 'offer.accepted' | 'offer.declined', input: InputOf<typeof acceptOffer>): Promise<Reply<Accepted>> {
    const { reservationId } = input.params;
    const agentId = input.actor.id;
    return this.commands.send(input, { kind, reservationId, agentId }, async (tx) => {
      const taskId = await taskOfOffer(tx, reservationId, agentId);
      if (taskId === null) throw new PlatformError('NOT_FOUND', 'no such offer');
      return task(tx, taskId);
    });
  }
}

const task = ({ tenantId }: Tx, taskId: string) =>
  ({ id: taskId, streamId: taskStream(tenantId, taskId), table: 'task' }) as const;
