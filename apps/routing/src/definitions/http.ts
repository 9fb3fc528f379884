import { Accepted, AgentBody, AgentList, PolicyBody, QueueBody, QueueList, Roles, Uuid } from '@centralita/contracts';
import { Database } from '@centralita/event-store';
import { Endpoint, route, type InputOf, type Reply } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { policyStream } from '../ids.js';
import { RoutingCommands } from '../inputs/commands.js';
import { allAgents, queuesByIdOf } from '../read/queries.js';

const ById = z.object({ id: Uuid });

const getAgents = route({
  method: 'GET',
  path: '/v1/agents',
  summary: 'Agents with their skills, queues and capacity.',
  roles: Roles,
  response: AgentList,
});
const getQueues = route({
  method: 'GET',
  path: '/v1/queues',
  summary: 'Queues and what each serves.',
  roles: Roles,
  response: QueueList,
});
const putAgent = route({
  method: 'PUT',
  path: '/v1/agents/:id',
  summary: 'Define an agent, or define it anew: the whole definition.',
  roles: ['platform', 'supervisor'],
  params: ById,
  body: AgentBody,
  response: Accepted,
  idempotent: true,
});
const putQueue = route({
  method: 'PUT',
  path: '/v1/queues/:id',
  summary: 'Define a queue, or define it anew: the whole definition. What waits in it, or waits without one, follows at once.',
  roles: ['platform', 'supervisor'],
  params: ById,
  body: QueueBody,
  response: Accepted,
  idempotent: true,
});
const putPolicy = route({
  method: 'PUT',
  path: '/v1/routing-policy',
  summary: 'Publish the rules of routing. Decisions name the version that they followed.',
  roles: ['platform', 'supervisor'],
  body: PolicyBody,
  response: Accepted,
  idempotent: true,
});

/** Agents, queues and rules: what supervisors set up. */
@Controller()
export class DefinitionsController {
  constructor(
    private readonly db: Database,
    private readonly commands: RoutingCommands,
  ) {}

  @Endpoint(getAgents)
  async agents({ tenantId }: InputOf<typeof getAgents>): Promise<z.infer<typeof AgentList>> {
    const agents = await this.db.withTenant(tenantId, allAgents);
    return {
      items: agents.map(({ agentId, label, skills, queueIds, capacity }) => ({
        agentId,
        label,
        skills: [...skills],
        queueIds: [...queueIds],
        capacity,
      })),
    };
  }

  @Endpoint(getQueues)
  async queues({ tenantId }: InputOf<typeof getQueues>): Promise<z.infer<typeof QueueList>> {
    const queues = await this.db.withTenant(tenantId, queuesByIdOf);
    return { items: [...queues.values()] };
  }

  @Endpoint(putAgent)
  async defineAgent(input: InputOf<typeof putAgent>): Promise<Reply<Accepted>> {
    const agentId = input.params.id;
    return this.commands.send(
      input,
      { kind: 'agent.defined', agent: { agentId, ...input.body } },
      { id: agentId, streamId: agentId, table: 'agent' },
    );
  }

  @Endpoint(putQueue)
  async defineQueue(input: InputOf<typeof putQueue>): Promise<Reply<Accepted>> {
    const queueId = input.params.id;
    return this.commands.send(
      input,
      { kind: 'queue.defined', queue: { queueId, ...input.body }, unserved: {} },
      { id: queueId, streamId: queueId, table: 'queue' },
    );
  }

  @Endpoint(putPolicy)
  async publishPolicy(input: InputOf<typeof putPolicy>): Promise<Reply<Accepted>> {
    const streamId = policyStream(input.tenantId);
    return this.commands.send(
      input,
      { kind: 'policy.published', policy: input.body },
      { id: streamId, streamId, table: 'policy' },
    );
  }
}
