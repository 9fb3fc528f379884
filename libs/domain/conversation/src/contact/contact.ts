import { PlatformError } from '@centralita/contracts';
import { unreachable, type ContactEvent } from '../event.js';

/**
 * Contacts: a contact is one person, a group of subjects. Merging re-keys nothing: histories keep their keys, and whoever reads them
 * asks for the canonical contact.
 */
export type Contacts = {
  readonly bySubject: ReadonlyMap<string, string>;
  readonly absorbedInto: ReadonlyMap<string, string>;
};
export const initialContacts: Contacts = { bySubject: new Map(), absorbedInto: new Map() };

export const evolveContacts = (state: Contacts, event: ContactEvent): Contacts => {
  switch (event.type) {
    case 'contact.identified.v1':
      return { ...state, bySubject: new Map(state.bySubject).set(event.data.subjectId, event.data.contactId) };
    case 'contact.merged.v1':
      return { ...state, absorbedInto: new Map(state.absorbedInto).set(event.data.absorbedContactId, event.data.contactId) };
    case 'contact.unmerged.v1': {
      const absorbedInto = new Map(state.absorbedInto);
      absorbedInto.delete(event.data.absorbedContactId);
      return { ...state, absorbedInto };
    }
    default:
      return unreachable(event);
  }
};

/** The contact that stands for this one after all merges. */
export const canonicalContact = (state: Contacts, contactId: string): string => {
  const into = state.absorbedInto.get(contactId);
  return into === undefined ? contactId : canonicalContact(state, into);
};

/** All subjects of the person that this contact belongs to, sorted. */
export const subjectsOf = (state: Contacts, contactId: string): string[] => {
  const canonical = canonicalContact(state, contactId);
  return [...state.bySubject]
    .filter(([, own]) => canonicalContact(state, own) === canonical)
    .map(([subjectId]) => subjectId)
    .sort();
};

const isKnown = (state: Contacts, contactId: string): boolean => [...state.bySubject.values()].includes(contactId);

/** A subject that is seen for the first time founds a contact. */
export const decideIdentify = (
  state: Contacts,
  command: { readonly subjectId: string; readonly contactId: string },
): ContactEvent[] => (state.bySubject.has(command.subjectId) ? [] : [{ type: 'contact.identified.v1', data: { ...command } }]);

type MergeCommand = { readonly contactId: string; readonly absorbedContactId: string; readonly actorId: string };

/** Two contacts are one person. Both must stand for themselves, so merges form a tree and each can be undone alone. */
export const decideMerge = (state: Contacts, command: MergeCommand): ContactEvent[] => {
  if (!isKnown(state, command.contactId) || !isKnown(state, command.absorbedContactId))
    throw new PlatformError('NOT_FOUND', 'no such contact');
  if (command.contactId === command.absorbedContactId)
    throw new PlatformError('VALIDATION_FAILED', 'a contact cannot absorb itself');
  if (state.absorbedInto.has(command.contactId) || state.absorbedInto.has(command.absorbedContactId))
    throw new PlatformError('VALIDATION_FAILED', 'only contacts that stand for themselves can be merged');
  return [{ type: 'contact.merged.v1', data: { ...command } }];
};

/** A merge was wrong: the absorbed contact stands for itself again, with whatever it had absorbed before. */
export const decideUnmerge = (state: Contacts, command: MergeCommand): ContactEvent[] => {
  if (state.absorbedInto.get(command.absorbedContactId) !== command.contactId)
    throw new PlatformError('NOT_FOUND', 'these contacts are not merged');
  return [{ type: 'contact.unmerged.v1', data: { ...command } }];
};
