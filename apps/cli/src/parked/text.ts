import type { ParkedKeyView, ParkedOutcome, RecordPlace } from '@centralita/contracts';
import type { z } from 'zod';

export const placeText = ({ topic, partition, offset }: z.infer<typeof RecordPlace>): string => `${topic}/${partition}/${offset}`;

const counted = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

const headings = ['KEY', 'SINCE', 'CODE', 'RECORDS', 'FIRST', 'BY TOPIC'] as const;

/** The parked keys as columns, and a line that counts them. */
export const tableOf = (items: readonly ParkedKeyView[]): string[] => {
  const [first] = items;
  if (!first) return ['nothing is parked'];
  const rows = items.map(({ key, since, code, records, first: record, topics }) => [
    key,
    since,
    code,
    String(records),
    record ? placeText(record) : '-',
    topics.map(({ topic, records: waiting }) => `${topic} ${waiting}`).join(', '),
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map(({ length }) => length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(headings), ...rows.map(line), `${counted(items.length, 'parked key')} in group ${first.group}`];
};

/** `what` names the decision and its key. */
export const outcomeLine = (what: string, { group, applied, blocked }: ParkedOutcome): string =>
  `${what} in group ${group}: ${counted(applied, 'record')} applied, ${
    blocked === null ? 'the key is free' : `still parked, the next record fails with ${blocked}`
  }`;

/** One parked key, a line a fact. */
export const detailsOf = ({ key, group, code, since, records, first, topics }: ParkedKeyView): string[] => [
  `key ${key} in group ${group}`,
  `since ${since}: ${code}`,
  `first ${first ? `${placeText(first)}, event ${first.eventId ?? 'unreadable'}` : 'is being worked on'}`,
  ...topics.map((one) => `waiting ${counted(one.records, 'record')} of ${one.topic}`),
  counted(records, 'record'),
];
