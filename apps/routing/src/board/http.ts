import { Board, DecisionList, PlatformError, Uuid } from '@centralita/contracts';
import { Database } from '@centralita/event-store';
import { CLOCK, Endpoint, route, type Clock, type InputOf } from '@centralita/platform-nest';
import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { boardState, decisionsAbout } from '../read/queries.js';
import { boardOf } from './board.js';

const getBoard = route({
  method: 'GET',
  path: '/v1/board',
  summary: 'Who waits, how long and why; who is there and how busy.',
  roles: ['supervisor', 'platform'],
  response: Board,
});

const getDecisions = route({
  method: 'GET',
  path: '/v1/decisions/:taskId',
  summary: 'Every decision about a conversation, with all candidates and the reason for each.',
  roles: ['agent', 'supervisor'],
  params: z.object({ taskId: Uuid }),
  response: DecisionList,
});

@Controller()
export class BoardController {
  constructor(
    private readonly db: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Endpoint(getBoard)
  async board({ tenantId }: InputOf<typeof getBoard>): Promise<Board> {
    const state = await this.db.withTenant(tenantId, boardState);
    return boardOf(state, this.clock().getTime());
  }

  @Endpoint(getDecisions)
  async decisions({ tenantId, params }: InputOf<typeof getDecisions>): Promise<z.infer<typeof DecisionList>> {
    const items = await this.db.withTenant(tenantId, (tx) => decisionsAbout(tx, params.taskId));
    if (!items) throw new PlatformError('NOT_FOUND', 'no such task');
    return { items };
  }
}
