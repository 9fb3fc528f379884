import type { Examination } from '../examination.js';
import type { History } from '../history.js';
import { firstOf, nameOf } from '../records.js';

/** 4. */
export const keyVersions = (history: History, examination: Examination): void => {
  const reached = new Map<string, number>();
  for (const record of firstOf(history.records, ({ keyVersion, id }) => (keyVersion === null ? null : id)).values()) {
    const head = `${record.tenant} ${record.topic} ${record.key}`;
    const expected = (reached.get(head) ?? 0) + 1;
    examination.expect(
      4,
      record.keyVersion === expected,
      () => `${nameOf(record)} is version ${record.keyVersion} of its key, ${expected} is due`,
    );
    reached.set(head, Math.max(expected, record.keyVersion ?? expected));
  }
  const places = new Set([...history.records, ...history.unreadable].map(nameOf));
  for (const record of history.records) {
    const { cause } = record;
    if (cause === null) continue;
    const precedes = cause.topic !== record.topic || cause.partition !== record.partition || cause.offset < record.offset;
    examination.expect(
      4,
      places.has(nameOf(cause)) && precedes,
      () =>
        `${nameOf(record)} follows from ${nameOf(cause)}, which ${places.has(nameOf(cause)) ? 'comes after it' : 'is not on the log'}`,
    );
  }
};

/** 5. */
export const streamVersions = (history: History, examination: Examination): void => {
  const versionOf = ({ tenant, topic, stream, streamVersion }: History['records'][number]): string | null =>
    stream === null || streamVersion === null ? null : `${tenant}/${topic}/${stream}@${streamVersion}`;
  const first = firstOf(history.records, versionOf);
  for (const record of history.records) {
    const version = versionOf(record);
    const known = version === null ? undefined : first.get(version);
    if (known) examination.expect(5, known.id === record.id, () => `${version} is both ${known.id} and ${record.id}`);
  }
};

/** 6: every application begins where the one before it ended, none ends beyond the log, and a new epoch ends the old one's writes. */
export const contiguous = (history: History, examination: Examination): void => {
  const ends = new Map<string, number>();
  for (const { topic, partition, offset } of [...history.records, ...history.unreadable])
    ends.set(`${topic}/${partition}`, Math.max(ends.get(`${topic}/${partition}`) ?? 0, offset + 1));
  const reached = new Map<string, number>();
  for (const { service, topic, partition, from, to } of history.applications) {
    const consumer = `${service} ${topic}/${partition}`;
    const expected = reached.get(consumer) ?? 0;
    examination.expect(6, from === expected && to > from, () => `${consumer} applied ${from} to ${to} after ${expected}`);
    examination.expect(
      6,
      to <= (ends.get(`${topic}/${partition}`) ?? 0),
      () => `${consumer} applied up to ${to}, beyond the end of the log`,
    );
    reached.set(consumer, Math.max(expected, to));
  }
  for (const [scope, writes] of Map.groupBy(history.leasedWrites, (write) => write.scope)) {
    let epoch = 0;
    for (const write of [...writes].sort((left, right) => left.position - right.position)) {
      examination.expect(
        6,
        write.epoch >= epoch,
        () => `${scope}: position ${write.position} was written under epoch ${write.epoch} after epoch ${epoch} had begun`,
      );
      epoch = Math.max(epoch, write.epoch);
    }
  }
};

/** 24. */
export const causalReads = (history: History, examination: Examination): void => {
  for (const { topic, key, version, saw } of history.tokenReads)
    examination.expect(24, saw >= version, () => `a read after version ${version} of ${topic} ${key} saw version ${saw}`);
};
