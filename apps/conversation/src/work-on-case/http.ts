import { Accepted, CloseBody, DispositionBody, NoteBody, TransferBody, Uuid } from '@centralita/contracts';
import { Commands, type Tx } from '@centralita/event-store';
import { Endpoint, reply, route, type EndpointInput, type InputOf, type Reply } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import type { CommandResult } from '../record/desk.js';
import { WorkOnCase } from './command.js';

const command = <Body extends z.ZodType>(name: string, summary: string, body: Body) =>
  route({
    method: 'POST',
    path: `/v1/conversations/:id/${name}`,
    summary,
    roles: ['agent', 'supervisor'],
    params: z.object({ id: Uuid }),
    body,
    response: Accepted,
    idempotent: true,
  });

const addNote = command('notes', 'Writes a note that the customer never sees.', NoteBody);
const setDisposition = command('disposition', 'Says what became of the conversation.', DispositionBody);
const close = command('close', 'Closes the conversation; it needs a disposition.', CloseBody);
const transfer = command('transfer', 'Hands the conversation to a queue or a colleague.', TransferBody);
const markRead = command('read', 'Marks the messages as seen by the agent who works on them.', z.object({}));

type Target = Parameters<WorkOnCase['markRead']>[1];

@Controller()
export class WorkOnCaseController {
  constructor(
    private readonly commands: Commands,
    private readonly work: WorkOnCase,
  ) {}

  @Endpoint(addNote)
  async addNote(input: InputOf<typeof addNote>): Promise<Reply<Accepted>> {
    return this.#run(input, (tx, target) => this.work.note(tx, target, input.body));
  }

  @Endpoint(setDisposition)
  async setDisposition(input: InputOf<typeof setDisposition>): Promise<Reply<Accepted>> {
    return this.#run(input, (tx, target) => this.work.dispose(tx, target, input.body));
  }

  @Endpoint(close)
  async close(input: InputOf<typeof close>): Promise<Reply<Accepted>> {
    return this.#run(input, (tx, target) => this.work.close(tx, target, input.body));
  }

  @Endpoint(transfer)
  async transfer(input: InputOf<typeof transfer>): Promise<Reply<Accepted>> {
    return this.#run(input, (tx, target) => this.work.transfer(tx, target, input.body));
  }

  @Endpoint(markRead)
  async markRead(input: InputOf<typeof markRead>): Promise<Reply<Accepted>> {
    return this.#run(input, (tx, target) => this.work.markRead(tx, target));
  }

  async #run(
    { tenantId, actor, params, command: asked }: EndpointInput<{ id: string }, undefined, unknown>,
    work: (tx: Tx, target: Target) => Promise<CommandResult>,
  ): Promise<Reply<Accepted>> {
    const target = { conversationId: params.id, actor };
    const { result } = await this.commands.run({ tenantId, ...asked, work: (tx) => work(tx, target) });
    const { id, version, token } = result;
    return reply({ id, version }, token === null ? {} : { causalToken: token });
  }
}
