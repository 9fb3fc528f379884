import { Accepted, Me, PlatformError, PresenceBody } from '@centralita/contracts';
import { loadOf, toInstant } from '@centralita/domain-routing';
import { Database } from '@centralita/event-store';
import { CLOCK, Endpoint, route, type Clock, type InputOf, type Reply } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { RoutingCommands } from '../inputs/commands.js';
import { deskOf } from '../read/queries.js';
import { offersOf, tasksInHand } from './my-work.js';

const getMe = route({
  method: 'GET',
  path: '/v1/me',
  summary: 'Me as an agent: presence, places, open offers with their reasons, and what I have in hand.',
  roles: ['agent'],
  response: Me,
});

const putPresence = route({
  method: 'PUT',
  path: '/v1/me/presence',
  summary: 'Go online, away or offline. Leaving gives open offers back; work in hand stays.',
  roles: ['agent'],
  body: PresenceBody,
  response: Accepted,
  idempotent: true,
});

@Controller()
export class MeController {
  constructor(
    private readonly db: Database,
    private readonly commands: RoutingCommands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(getMe)
  async me({ tenantId, actor }: InputOf<typeof getMe>): Promise<Me> {
    const desk = await this.db.withTenant(tenantId, (tx) => deskOf(tx, actor.id));
    if (!desk) throw new PlatformError('AGENT_UNKNOWN', 'nobody has defined you as an agent');
    const { agent, tasks } = desk;
    return {
      agentId: agent.agentId,
      label: agent.label,
      presence: agent.presence,
      capacity: agent.capacity,
      load: loadOf(agent),
      skills: [...agent.skills],
      queueIds: [...agent.queueIds],
      offers: offersOf(tasks, desk.decisions, desk.queues),
      tasks: tasksInHand(tasks),
      serverTime: toInstant(this.clock().getTime()),
    };
  }

  @Endpoint(putPresence)
  async presence(input: InputOf<typeof putPresence>): Promise<Reply<Accepted>> {
    const agentId = input.actor.id;
    return this.commands.send(
      input,
      { kind: 'presence.set', agentId, presence: input.body.presence, cause: 'agent' },
      { id: agentId, streamId: agentId, table: 'agent' },
    );
  }
}
