import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalContact,
  decideIdentify,
  decideMerge,
  decideUnmerge,
  evolveContacts,
  initialContacts,
  subjectsOf,
} from './contact.js';

const people = ['a', 'b', 'c', 'd'];
const known = people
  .flatMap((id) => decideIdentify(initialContacts, { subjectId: `subject-${id}`, contactId: id }))
  .reduce(evolveContacts, initialContacts);
const merge = (contactId: string, absorbedContactId: string) => ({ contactId, absorbedContactId, actorId: 'x' });
const withCode = (code: string) => expect.objectContaining({ code });

describe('contacts', () => {
  it('a subject founds a contact once', () => {
    expect(decideIdentify(known, { subjectId: 'subject-a', contactId: 'other' })).toEqual([]);
    expect(subjectsOf(known, 'a')).toEqual(['subject-a']);
  });
  it('a merge makes one person of two, also over several steps, and can be undone', () => {
    const once = decideMerge(known, merge('b', 'a')).reduce(evolveContacts, known);
    const twice = decideMerge(once, merge('c', 'b')).reduce(evolveContacts, once);
    expect(people.map((id) => canonicalContact(twice, id))).toEqual(['c', 'c', 'c', 'd']);
    expect(subjectsOf(twice, 'a')).toEqual(['subject-a', 'subject-b', 'subject-c']);
    const undone = decideUnmerge(twice, merge('c', 'b')).reduce(evolveContacts, twice);
    expect(people.map((id) => canonicalContact(undone, id))).toEqual(['b', 'b', 'c', 'd']);
  });
  it('refuses what is unknown, itself, or already absorbed', () => {
    const once = decideMerge(known, merge('b', 'a')).reduce(evolveContacts, known);
    expect(() => decideMerge(known, merge('a', 'nobody'))).toThrow(withCode('NOT_FOUND'));
    expect(() => decideMerge(known, merge('nobody', 'a'))).toThrow(withCode('NOT_FOUND'));
    expect(() => decideMerge(known, merge('a', 'a'))).toThrow(withCode('VALIDATION_FAILED'));
    expect(() => decideMerge(once, merge('a', 'c'))).toThrow(withCode('VALIDATION_FAILED'));
    expect(() => decideMerge(once, merge('c', 'a'))).toThrow(withCode('VALIDATION_FAILED'));
    expect(() => decideUnmerge(once, merge('c', 'a'))).toThrow(withCode('NOT_FOUND'));
  });
  it('stays a partition of the subjects under any merges and un-merges', () => {
    const aStep = fc.tuple(fc.constantFrom('merge', 'unmerge'), fc.constantFrom(...people), fc.constantFrom(...people));
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 15 }), (steps) => {
        const end = steps.reduce((state, [kind, one, other]) => {
          try {
            return (kind === 'merge' ? decideMerge : decideUnmerge)(state, merge(one, other)).reduce(evolveContacts, state);
          } catch {
            return state; // refused: nothing happened
          }
        }, known);
        const groups = new Set(people.map((id) => subjectsOf(end, id).join()));
        expect([...groups].flatMap((group) => group.split(',')).sort()).toEqual(people.map((id) => `subject-${id}`));
      }),
    );
  });
});
