import type { Examination } from '../examination.js';
import type { History } from '../history.js';
import { nameOf } from '../records.js';

/** 20. */
export const erased = (history: History, examination: Examination): void => {
  const erasures = new Map(history.erasures.map(({ subject, at }) => [subject, at]));
  for (const { subject, at, readable } of history.readings) {
    const since = erasures.get(subject);
    if (since !== undefined && at >= since)
      examination.expect(20, !readable, () => `subject ${subject} was read after its erasure`);
  }
  for (const record of history.records) {
    const since = record.subject === null ? undefined : erasures.get(record.subject);
    if (since === undefined) continue;
    examination.expect(20, record.readable !== true, () => `${nameOf(record)} of an erased subject can be decrypted`);
    examination.expect(20, record.recordedAt <= since, () => `${nameOf(record)} was recorded for a subject after its erasure`);
  }
  for (const { subject, where } of history.canaries)
    examination.expect(20, false, () => `something of erased subject ${subject} was found in ${where}`);
};

/** 21. */
export const decryptable = (history: History, examination: Examination): void => {
  const gone = new Set(history.erasures.map(({ subject }) => subject));
  for (const record of history.records)
    if (record.readable !== null && (record.subject === null || !gone.has(record.subject)))
      examination.expect(21, record.readable, () => `${nameOf(record)} cannot be decrypted, and nobody was erased`);
};

/** 22. */
export const tenancy = (history: History, examination: Examination): void => {
  for (const { what, owner, under } of history.belongings)
    examination.expect(22, owner === under, () => `${what} of tenant ${owner} lies under tenant ${under}`);
};
