import { describe, expect, it } from '@jest/globals';
import { DisclosedFields, type AccessRecord } from '@centralita/contracts';
import { Frontier, manifestRoot, parseLeaf, rootOf, toHex } from '@centralita/domain-ledger';
import type { Verdict } from '../facts/reason.js';
import { sha256 } from '../signing/signer.js';
import { LeafBuilder, manifestHolds, requireRoom, type DueRecord } from './leaves.js';

const uuid = (n: number): string => `00000000-0000-7000-8000-${n.toString().padStart(12, '0')}`;
const commitment = (name: string): string => name.padEnd(43, '-');
const unverifiable: Verdict = { verified: 'unverifiable', basis: [] };

const due = (number: number, names: string[], changed: Partial<AccessRecord> = {}, list = names.length > 1): DueRecord => {
  const subjects = names.map(commitment).sort();
  return {
    lane: uuid(1),
    number: BigInt(number),
    kind: 'record',
    eventId: uuid(100 + number),
    verdict: { ...unverifiable, bySubject: new Map() },
    record: {
      recordId: uuid(100 + number),
      occurredAt: '2026-11-22T10:00:00.000Z',
      service: 'conversation',
      outcome: 'disclosed',
      actor: { id: uuid(2), role: 'agent', session: 's' },
      action: 'conversation.thread.read',
      resource: { type: 'conversation', id: uuid(3) },
      fields: ['message_text'],
      resultCount: names.length,
      subjects,
      manifest: list ? toHex(manifestRoot(sha256, subjects)) : null,
      reason: { code: 'SUPERVISION_QA', reference: null, text: null },
      policy: { rule: 'r', version: 1 },
      source: { ip: null, userAgent: null },
      ...changed,
    },
  };
};
const build = (records: DueRecord[]): LeafBuilder => {
  const builder = new LeafBuilder(uuid(9), new Frontier(sha256), new Map());
  for (const each of records) builder.add(each);
  return builder;
};

describe('LeafBuilder', () => {
  it('numbers and links the leaves of each customer through single records and lists', () => {
    const { leaves } = build([due(1, ['a']), due(2, ['b', 'a']), due(3, []), due(4, ['a'])]);
    expect(
      leaves.map(({ leaf }) => [leaf.kind, leaf.subject?.replaceAll('-', '') ?? null, leaf.subjectSeq, leaf.subjectPrev]),
    ).toEqual([
      ['record', 'a', 1, null],
      ['record', null, null, null],
      ['subject', 'a', 2, '0'],
      ['subject', 'b', 1, null],
      ['record', null, null, null],
      ['record', 'a', 3, '2'],
    ]);
    expect(leaves.map(({ leaf }) => leaf.recordId)).toEqual([101, 102, 102, 102, 103, 104].map(uuid));
  });

  it('goes on from where the log and its customers stood', () => {
    const frontier = new Frontier(sha256);
    frontier.append(sha256(new Uint8Array()));
    const heads = new Map([[commitment('a'), { seq: 7, leaf: 0n }]]);
    const builder = new LeafBuilder(uuid(9), frontier, heads);
    builder.add(due(1, ['a']));
    expect(builder.leaves[0]).toMatchObject({ index: 1n, leaf: { subjectSeq: 8, subjectPrev: '0' } });
    expect(heads.get(commitment('a'))).toEqual({ seq: 8, leaf: 1n });
  });

  it('takes a list of one for a list, and gives each subject its own verdict', () => {
    const one = due(1, ['a'], {}, true);
    const { leaves } = build([
      {
        ...one,
        verdict: { ...unverifiable, bySubject: new Map([[commitment('a'), { verified: 'confirmed', basis: [uuid(5)] }]]) },
      },
    ]);
    expect(leaves.map(({ leaf }) => [leaf.kind, leaf.verified])).toEqual([
      ['record', 'unverifiable'],
      ['subject', 'confirmed'],
    ]);
  });

  it('makes texts that are leaves, and hashes that are the tree', () => {
    const { leaves, nodes } = build([due(1, ['a']), due(2, ['b', 'a'])]);
    for (const { text, leaf } of leaves) expect(parseLeaf(text)).toEqual(leaf);
    expect(nodes.find((node) => node.level === 2)?.hash).toEqual(
      rootOf(
        sha256,
        leaves.map(({ hash }) => hash),
      ),
    );
  });
});

describe('requireRoom', () => {
  const filled = (character: string): AccessRecord => {
    const wide = character.repeat(64);
    return due(1, ['a'], {
      action: wide,
      actor: { id: uuid(2), role: 'compliance', session: wide },
      resource: { type: wide.slice(0, 32), id: wide + wide.slice(0, 16) },
      fields: [...DisclosedFields],
      reason: { code: 'SECURITY_INVESTIGATION', reference: wide + wide.slice(0, 16), text: commitment('t') },
      policy: { rule: wide, version: Number.MAX_SAFE_INTEGER },
      source: { ip: commitment('i'), userAgent: wide },
    }).record;
  };

  it('takes every record of readable text, and its leaf fits', () => {
    for (const character of ['w', '\u00f1', '"']) {
      const record = filled(character);
      requireRoom(uuid(9), record);
      const verdict: Verdict = { verified: 'contradicted', basis: Array.from({ length: 16 }, (_, n) => uuid(n)) };
      const { leaves } = build([{ ...due(1, ['a']), number: 2n ** 62n, record, verdict: { ...verdict, bySubject: new Map() } }]);
      expect(Buffer.byteLength(leaves[0]?.text ?? '')).toBeLessThanOrEqual(4096);
    }
  });

  it('refuses one that control characters have blown up', () => {
    expect(() => requireRoom(uuid(9), filled('\u0001'))).toThrow('longer than 4096 bytes');
  });
});

describe('manifestHolds', () => {
  it('compares the source’s root with the subjects that it lists', () => {
    expect(manifestHolds(due(1, ['a', 'b']).record)).toBe(true);
    expect(manifestHolds(due(1, ['a']).record)).toBe(true);
    expect(manifestHolds({ ...due(1, ['a', 'b']).record, subjects: [commitment('a')] })).toBe(false);
  });
});
