import { PlatformError, type CloseBody, type DispositionBody, type NoteBody, type TransferBody } from '@centralita/contracts';
import { decideCase, type CaseCommand } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { CLOCK, type Actor, type Clock } from '@centralita/platform-nest';
import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidV7 } from 'uuid';
import type { z } from 'zod';
import { Catalogue } from '../catalogue/catalogue.js';
import { caseActor, takeCase, tokenOf, type CaseOnDesk, type CommandResult } from '../record/desk.js';
import { NOTE_SCHEMA } from '../record/envelopes.js';
import { Recorder } from '../record/recorder.js';

type Wanted = CaseCommand extends infer Each
  ? Each extends CaseCommand
    ? Omit<Each, 'now' | 'actor' | 'assignedAgentId'>
    : never
  : never;
type Target = { readonly conversationId: string; readonly actor: Actor };

const invalid = (path: string, message: string): PlatformError =>
  new PlatformError('VALIDATION_FAILED', 'one field is not valid', { errors: [{ path, message }] });

/** Notes, dispositions, closing, transfers and the read mark: each takes the case, decides and appends in the caller's transaction. */
@Injectable()
export class WorkOnCase {
  constructor(
    private readonly recorder: Recorder,
    private readonly keyring: Keyring,
    private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async note(tx: Tx, target: Target, body: z.output<typeof NoteBody>): Promise<CommandResult> {
    const desk = await takeCase(tx, target.conversationId, target.actor);
    const { subjectId } = desk.state;
    const [noteId, eventId] = [uuidV7(), uuidV7()];
    await this.keyring.ensureSubjects(tx.tenantId, [subjectId]);
    const keys = await this.keyring.sealer(tx.tenantId, [subjectId]);
    const sealed = keys.seal({ id: eventId, subject: subjectId, schema: NOTE_SCHEMA, plaintext: { text: body.text } });
    await this.keyring.checkAlive(tx.tenantId, [subjectId]);
    return this.#decide(tx, desk, target, { type: 'add-note', noteId, sealed }, { id: noteId, eventId });
  }

  async dispose(tx: Tx, target: Target, body: z.output<typeof DispositionBody>): Promise<CommandResult> {
    this.#mustBeOffered(body.code, 'body.code');
    const desk = await takeCase(tx, target.conversationId, target.actor);
    return this.#decide(tx, desk, target, { type: 'set-disposition', code: body.code });
  }

  async close(tx: Tx, target: Target, body: z.output<typeof CloseBody>): Promise<CommandResult> {
    if (body.dispositionCode !== undefined) this.#mustBeOffered(body.dispositionCode, 'body.dispositionCode');
    const desk = await takeCase(tx, target.conversationId, target.actor);
    return this.#decide(tx, desk, target, { type: 'close', dispositionCode: body.dispositionCode ?? null });
  }

  async transfer(tx: Tx, target: Target, body: z.output<typeof TransferBody>): Promise<CommandResult> {
    const { toQueueId = null, toAgentId = null } = body;
    const [known] = await tx.query<{ queue: boolean; agent: boolean }>(
      `select exists (select from queue where tenant_id = $1 and queue_id = $2) as queue,
              exists (select from agent where tenant_id = $1 and agent_id = $3) as agent`,
      [tx.tenantId, toQueueId, toAgentId],
    );
    if (toQueueId !== null && !known?.queue) throw invalid('body.toQueueId', 'names no queue');
    if (toAgentId !== null && !known?.agent) throw new PlatformError('AGENT_UNKNOWN', 'there is no such agent');
    const desk = await takeCase(tx, target.conversationId, target.actor);
    const transferId = uuidV7();
    return this.#decide(tx, desk, target, { type: 'request-transfer', transferId, toQueueId, toAgentId }, { id: transferId });
  }

  /** Forgets the count of unread messages when the agent who works on them has seen them; anybody else's look leaves it. */
  async markRead(tx: Tx, { conversationId, actor }: Target): Promise<CommandResult> {
    const { state, streamVersion, assignment } = await takeCase(tx, conversationId, actor);
    if (assignment.agentId === actor.id)
      await tx.execute(`update conversation set unread = 0 where tenant_id = $1 and conversation_id = $2`, [
        tx.tenantId,
        state.conversationId,
      ]);
    return { id: conversationId, version: String(streamVersion), token: null };
  }

  #mustBeOffered(code: string, path: string): void {
    if (!this.catalogue.dispositions.some((disposition) => disposition.code === code))
      throw invalid(path, 'is not one of the dispositions');
  }

  async #decide(
    tx: Tx,
    desk: CaseOnDesk,
    target: Target,
    wanted: Wanted,
    named: { readonly id?: string; readonly eventId?: string } = {},
  ): Promise<CommandResult> {
    const events = decideCase(desk.state, {
      ...wanted,
      now: this.clock().toISOString(),
      actor: caseActor(target.actor),
      assignedAgentId: desk.assignment.agentId,
    });
    const appended = await this.recorder.record(
      tx,
      events.map((event) => ({
        event,
        caseVersion: desk.streamVersion,
        ...(named.eventId === undefined ? {} : { id: named.eventId }),
      })),
      desk.known,
    );
    return {
      id: named.id ?? target.conversationId,
      version: String(desk.streamVersion + appended.length),
      token: tokenOf(appended),
    };
  }
}
