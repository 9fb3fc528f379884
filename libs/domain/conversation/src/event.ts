import type { EventData, EventType } from '@centralita/contracts';

/** A decided fact before it has an id, a stream and a version: what deciders return and folds take. */
export type DomainEvent<Type extends EventType> = {
  [Each in Type]: { readonly type: Each; readonly data: EventData<Each> };
}[Type];

/** Facts of one case. */
export type CaseEvent = DomainEvent<
  | 'conversation.opened.v1'
  | 'conversation.reopened.v1'
  | 'conversation.message.recorded.v1'
  | 'conversation.reply.requested.v1'
  | 'conversation.reply.refused.v1'
  | 'conversation.transfer.requested.v1'
  | 'conversation.noted.v1'
  | 'conversation.disposed.v1'
  | 'conversation.closed.v1'
>;
export type WindowEvent = DomainEvent<'conversation.window.opened.v1'>;
export type ContactEvent = DomainEvent<'contact.identified.v1' | 'contact.merged.v1' | 'contact.unmerged.v1'>;

/** Fails to compile when a switch over a union forgets a member. */
export const unreachable = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
};
