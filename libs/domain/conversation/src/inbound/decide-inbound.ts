import type { EventData, Sealed } from '@centralita/contracts';
import { evolveCase, whereItBelongs, type Belongs, type CaseState } from '../case/case.js';
import { unreachable, type CaseEvent, type DomainEvent, type WindowEvent } from '../event.js';
import { languageOfMarket } from '../item/language.js';
import { messageKind } from '../item/message-kind.js';
import {
  callOpensWindow,
  effectiveTime,
  evolveWindow,
  isUserCall,
  noWindow,
  openWindow,
  windowExpiresAt,
  type WindowState,
} from '../window/window.js';

/** What is known of one (business number, subject) when an item arrives. */
export type LineState = {
  /** The contact of the subject, null before the first item. */
  readonly contactId: string | null;
  readonly latest: CaseState | null;
  readonly window: WindowState;
};
export const initialLine: LineState = { contactId: null, latest: null, window: noWindow };

export type LineEvent = CaseEvent | WindowEvent | DomainEvent<'contact.identified.v1'>;

/** Folds the facts of one line: its contact, its latest case and its window. */
export const evolveLine = (state: LineState, event: LineEvent): LineState => {
  switch (event.type) {
    case 'contact.identified.v1':
      return { ...state, contactId: event.data.contactId };
    case 'conversation.window.opened.v1':
      return { ...state, window: evolveWindow(state.window, event) };
    case 'conversation.opened.v1':
      return { ...state, latest: evolveCase(null, event) };
    default:
      // What still happens to an earlier case says nothing about the latest.
      return event.data.conversationId === state.latest?.conversationId
        ? { ...state, latest: evolveCase(state.latest, event) }
        : state;
  }
};

/** Ids come from outside: the domain makes none. */
export type LineIds = { readonly contactId: string; conversationId(ordinal: number): string };

type Received<Type extends 'whatsapp.message.received.v1' | 'whatsapp.call.changed.v1' | 'whatsapp.echo.received.v1'> = {
  readonly type: Type;
  readonly data: EventData<Type>;
};
export type InboundFact =
  Received<'whatsapp.message.received.v1'> | Received<'whatsapp.call.changed.v1'> | Received<'whatsapp.echo.received.v1'>;

export type RecordInbound = {
  readonly fact: InboundFact;
  /** The record's key: the customer, or the group. */
  readonly subjectId: string;
  readonly recordedTime: string;
  readonly ids: LineIds;
};

type Item = {
  readonly ref: string;
  readonly messageType: string;
  readonly direction: 'in' | 'echo';
  readonly participant: string;
  readonly contextRef: string | null;
  readonly media: EventData<'conversation.message.recorded.v1'>['media'];
  readonly referral: boolean;
  readonly country: string | null;
  readonly sealed: Sealed;
  /** Whether it may open or reopen a case, or only joins the last one. */
  readonly wakes: boolean;
  readonly movesWindow: boolean;
  /** False for what moves the window and is no part of a thread. */
  readonly recorded: boolean;
};

const itemOf = (fact: InboundFact): Item => {
  const plain = { participant: '-', contextRef: null, media: null, referral: false, country: fact.data.marketHint.country };
  switch (fact.type) {
    case 'whatsapp.message.received.v1': {
      const kind = messageKind(fact.data.messageType);
      const { messageRef: ref, messageType, participant, contextRef, media, referral, sealed } = fact.data;
      return {
        ...plain,
        ...{ ref, messageType, participant, contextRef, media, referral, sealed },
        direction: 'in',
        wakes: kind === 'speech',
        movesWindow: kind !== 'trace',
        recorded: true,
      };
    }
    case 'whatsapp.call.changed.v1':
      return {
        ...plain,
        ref: fact.data.callRef,
        messageType: 'call',
        direction: 'in',
        sealed: fact.data.sealed,
        wakes: true,
        movesWindow: callOpensWindow(fact.data),
        recorded: isUserCall(fact.data),
      };
    case 'whatsapp.echo.received.v1':
      return {
        ...plain,
        ref: fact.data.messageRef,
        messageType: fact.data.messageType,
        direction: 'echo',
        sealed: fact.data.sealed,
        wakes: false,
        movesWindow: false,
        recorded: true,
      };
    default:
      return unreachable(fact);
  }
};

/**
 * Decides what one item of the provider does to its line, in this order: the subject founds its contact, a case opens or reopens, the
 * item is recorded in it, the window moves. What is no speech joins the last case even when that is closed, and opens one only when
 * there is none, so every item stands in exactly one conversation. An echo from the business's own phone begins no case: nobody waits.
 */
export const decideInbound = (state: LineState, command: RecordInbound): LineEvent[] => {
  const { fact, subjectId, ids } = command;
  const { phoneNumberId, wabaId } = fact.data;
  const item = itemOf(fact);
  const effectiveAt = effectiveTime(fact.data.providerTime, command.recordedTime);
  const window = item.movesWindow ? openWindow(state.window, effectiveAt) : state.window;
  const expiresAt = windowExpiresAt(window);
  const contactId = state.contactId ?? ids.contactId;
  const events: LineEvent[] = [];

  const belongs: Belongs =
    !item.wakes && state.latest !== null ? { place: 'join', latest: state.latest } : whereItBelongs(state.latest, effectiveAt);
  const ordinal = (state.latest?.ordinal ?? 0) + 1;
  const conversationId = belongs.place === 'open' ? ids.conversationId(ordinal) : belongs.latest.conversationId;
  const recorded = item.recorded && !(item.direction === 'echo' && state.latest === null);

  if (state.contactId === null && (recorded || item.movesWindow))
    events.push({ type: 'contact.identified.v1', data: { contactId, subjectId } });
  if (recorded) {
    if (belongs.place === 'open')
      events.push({
        type: 'conversation.opened.v1',
        data: {
          ...{ conversationId, subjectId, contactId, phoneNumberId, wabaId, ordinal },
          openedBy: item.ref,
          openedAt: effectiveAt,
          language: languageOfMarket(item.country),
          windowExpiresAt: expiresAt,
          referral: item.referral,
        },
      });
    if (belongs.place === 'reopen')
      events.push({
        type: 'conversation.reopened.v1',
        data: { conversationId, subjectId, reopenedBy: item.ref, reopenedAt: effectiveAt, windowExpiresAt: expiresAt },
      });
    events.push({
      type: 'conversation.message.recorded.v1',
      data: {
        ...{ conversationId, subjectId, messageRef: item.ref, direction: item.direction, messageType: item.messageType },
        ...{ participant: item.participant, effectiveAt, contextRef: item.contextRef, media: item.media, sealed: item.sealed },
      },
    });
  }
  if (expiresAt !== null && window.openedAt !== state.window.openedAt)
    events.push({
      type: 'conversation.window.opened.v1',
      data: { subjectId, phoneNumberId, openedAt: effectiveAt, expiresAt, causeRef: item.ref },
    });
  return events;
};
