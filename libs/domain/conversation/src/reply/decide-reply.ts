import { PlatformError, type Sealed } from '@centralita/contracts';
import type { CaseState } from '../case/case.js';
import type { DomainEvent } from '../event.js';
import { instant, millis } from '../time.js';
import { WINDOW_MS, type WindowState } from '../window/window.js';
import { mayReply, type ReplyRule } from './may-reply.js';

export type ReplyState = {
  readonly latest: CaseState;
  readonly window: WindowState;
  readonly assignment: { readonly agentId: string | null; readonly version: number };
};

export type RequestReply = {
  readonly now: string;
  readonly actor: { readonly id: string };
  readonly replyId: string;
  readonly sendId: string;
  readonly contents: { readonly kind: 'text' } | { readonly kind: 'template'; readonly name: string; readonly language: string };
  /** The message that the reply quotes; null when it quotes none. */
  readonly contextRef: string | null;
  readonly expectedVersion: string;
};

/**
 * What a reply is checked against, and what the client gives back in `If-Match`: the assignment and the count of outbound messages.
 * Inbound messages are no part of it.
 */
export const replyVersion = (outboundVersion: number, assignmentVersion: number): string =>
  `${String(assignmentVersion)}.${String(outboundVersion)}`;

export type ReplyDecision =
  | {
      readonly outcome: 'requested';
      /** The address and the words are sealed only once the reply is allowed. */
      readonly event: (sealed: Sealed) => DomainEvent<'conversation.reply.requested.v1'>;
    }
  | {
      readonly outcome: 'refused';
      readonly code: Exclude<ReplyRule['because'], null>;
      /** Recorded when the window alone stood in the way; the other refusals are mistakes of the client and say nothing about the case. */
      readonly event: DomainEvent<'conversation.reply.refused.v1'> | null;
    };

/**
 * Decides one reply. The rule is asked before the version: who may not answer learns that, and not that somebody else was faster.
 * Throws VERSION_CONFLICT when the assignment changed or another answer left since the client looked.
 */
export const decideReply = ({ latest, window, assignment }: ReplyState, command: RequestReply): ReplyDecision => {
  const { conversationId, subjectId } = latest;
  const rule = mayReply({ now: command.now, window, assignment, state: latest.status, actor: command.actor });
  if (rule.may === 'no') return { outcome: 'refused', code: rule.because, event: null };
  const current = replyVersion(latest.outboundVersion, assignment.version);
  if (command.expectedVersion !== current)
    throw new PlatformError('VERSION_CONFLICT', 'the assignment changed or another reply left meanwhile', { current });
  const { contents } = command;
  if (rule.may === 'template' && contents.kind === 'text')
    return {
      outcome: 'refused',
      code: rule.because,
      event: {
        type: 'conversation.reply.refused.v1',
        data: {
          conversationId,
          subjectId,
          replyId: command.replyId,
          agentId: command.actor.id,
          code: rule.because,
          refusedAt: command.now,
        },
      },
    };
  // A text must leave inside the window; a template needs none, but an answer of yesterday is worse than an error today.
  const sendBefore = rule.may === 'text' && contents.kind === 'text' ? rule.until : instant(millis(command.now) + WINDOW_MS);
  return {
    outcome: 'requested',
    event: (sealed) => ({
      type: 'conversation.reply.requested.v1',
      data: {
        conversationId,
        subjectId,
        replyId: command.replyId,
        sendId: command.sendId,
        phoneNumberId: latest.phoneNumberId,
        agentId: command.actor.id,
        kind: contents.kind,
        template: contents.kind === 'template' ? { name: contents.name, language: contents.language } : null,
        contextRef: command.contextRef,
        requestedAt: command.now,
        sendBefore,
        sealed,
      },
    }),
  };
};
