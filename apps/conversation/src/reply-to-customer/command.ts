import { PlatformError, type ReplyBody, type Sealed } from '@centralita/contracts';
import {
  addressOf,
  chooseTemplate,
  decideReply,
  replyVersion,
  wamidOf,
  type RequestReply,
} from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { CLOCK, type Clock } from '@centralita/platform-nest';
import { Inject, Injectable } from '@nestjs/common';
import { v7 as uuidV7 } from 'uuid';
import { Catalogue } from '../catalogue/catalogue.js';
import { takeCase, tokenOf, type CommandResult } from '../record/desk.js';
import { openItem, REPLY_SCHEMA, type ReplyPlaintext } from '../record/envelopes.js';
import { Recorder } from '../record/recorder.js';

export type ReplyOutcome =
  | ({ readonly outcome: 'requested' } & CommandResult)
  | { readonly outcome: 'refused'; readonly code: 'WINDOW_CLOSED' | 'WINDOW_NEVER_OPENED' };

type Reply = {
  readonly conversationId: string;
  readonly actor: { readonly id: string };
  readonly body: ReplyBody;
  readonly expectedVersion: string;
};

/** Envelope of the message that is answered: the quoted one, else the customer's newest. */
const answered = async (tx: Tx, conversationId: string, messageRef: string | undefined): Promise<Sealed> => {
  const [row] = await tx.query<{ sealed: Sealed }>(
    `select sealed from thread_item
     where tenant_id = $1 and conversation_id = $2 and kind = 'inbound' and ($3::text is null or message_ref = $3)
     order by placed_at desc, position desc limit 1`,
    [tx.tenantId, conversationId, messageRef ?? null],
  );
  if (!row)
    throw new PlatformError('VALIDATION_FAILED', 'there is no such message of the customer in this conversation', {
      errors: [{ path: 'body.inReplyTo', message: 'names no message of the customer' }],
    });
  return row.sealed;
};

/** An agent answers a customer. */
@Injectable()
export class ReplyToCustomer {
  constructor(
    private readonly recorder: Recorder,
    private readonly keyring: Keyring,
    private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * 1. take the case; 2. decide; 3. seal address and words in one new envelope, named after the event that will hold it; 4. append. A
   * refusal because of the window is a fact and is appended, so it is a result and not an error here.
   */
  async run(tx: Tx, reply: Reply): Promise<ReplyOutcome> {
    const { body, actor } = reply;
    const { state, streamVersion, window, assignment, known } = await takeCase(tx, reply.conversationId, actor);
    const command: RequestReply = {
      now: this.clock().toISOString(),
      actor,
      replyId: uuidV7(),
      sendId: uuidV7(),
      contents: body.kind === 'text' ? { kind: 'text' } : { kind: 'template', name: body.template, language: body.language },
      contextRef: body.kind === 'text' ? (body.inReplyTo ?? null) : null,
      expectedVersion: reply.expectedVersion,
    };
    const decision = decideReply({ latest: state, window, assignment }, command);
    if (decision.outcome === 'refused') {
      if (decision.event === null) throw new PlatformError(decision.code, 'this reply is not allowed');
      await this.recorder.record(tx, [{ event: decision.event, caseVersion: streamVersion }], known);
      return { outcome: 'refused', code: decision.event.data.code as 'WINDOW_CLOSED' | 'WINDOW_NEVER_OPENED' };
    }
    const eventId = uuidV7();
    const sealed = await this.#seal(tx, { eventId, subjectId: state.subjectId, conversationId: reply.conversationId, body });
    const requested = { event: decision.event(sealed), caseVersion: streamVersion, id: eventId };
    const appended = await this.recorder.record(tx, [requested], known);
    return {
      outcome: 'requested',
      id: command.replyId,
      version: replyVersion(state.outboundVersion + 1, assignment.version),
      token: tokenOf(appended),
    };
  }

  async #seal(
    tx: Tx,
    reply: { readonly eventId: string; readonly subjectId: string; readonly conversationId: string; readonly body: ReplyBody },
  ): Promise<Sealed> {
    const { body, subjectId } = reply;
    const message = await answered(tx, reply.conversationId, body.kind === 'text' ? body.inReplyTo : undefined);
    // A group has no envelope of its own until it is answered.
    await this.keyring.ensureSubjects(tx.tenantId, [subjectId]);
    const keys = await this.keyring.sealer(tx.tenantId, [subjectId, message.subject]);
    const plaintext = openItem(keys, message);
    const address = plaintext && addressOf(plaintext);
    if (!address) throw new PlatformError('ERASED', 'nobody is left to answer');
    const wamid = body.kind === 'text' && body.inReplyTo !== undefined ? wamidOf(plaintext) : null;
    const contents: ReplyPlaintext =
      body.kind === 'text'
        ? { ...address, text: body.text, ...(wamid === null ? {} : { contextWamid: wamid }) }
        : { ...address, template: this.#template(body) };
    const sealed = keys.seal({ id: reply.eventId, subject: subjectId, schema: REPLY_SCHEMA, plaintext: contents });
    await this.keyring.checkAlive(tx.tenantId, [subjectId]);
    return sealed;
  }

  #template(body: Extract<ReplyBody, { kind: 'template' }>): NonNullable<ReplyPlaintext['template']> {
    const wanted = { name: body.template, language: body.language, values: body.values };
    chooseTemplate(this.catalogue.templates, wanted);
    return wanted;
  }
}
