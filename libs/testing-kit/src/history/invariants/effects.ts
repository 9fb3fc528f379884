import type { Examination } from '../examination.js';
import type { History } from '../history.js';
import { nameOf } from '../records.js';

/** 7. */
export const effectiveOnce = (history: History, examination: Examination): void => {
  const times = new Map<string, number>();
  for (const { service, cause } of history.effects) times.set(`${service} ${cause}`, (times.get(`${service} ${cause}`) ?? 0) + 1);
  for (const [of, done] of times) examination.expect(7, done === 1, () => `${of} took effect ${done} times`);
  for (const { service, cause } of history.due)
    examination.expect(7, times.has(`${service} ${cause}`), () => `${service} ${cause} never took effect`);
};

/** 8, and nothing that cannot be read is passed over in silence. */
export const parkedKeys = (history: History, examination: Examination): void => {
  const byKey = Map.groupBy(history.effects, ({ service, key }) => `${service} ${key}`);
  for (const { service, key, from, to } of history.parkings) {
    const passed = (byKey.get(`${service} ${key}`) ?? []).filter(
      ({ sequence }) => sequence > from && (to === null || sequence < to),
    );
    examination.expect(8, passed.length === 0, () => `${service} applied ${passed[0]?.cause} while key ${key} was parked`);
  }
  for (const record of history.unreadable)
    examination.expect(8, record.givenUp, () => `${nameOf(record)} cannot be read and nobody has given it up`);
};

/** 9 and 10. */
export const calls = (history: History, examination: Examination): void => {
  const replies = new Map(history.replies.map((reply) => [reply.sendId, reply]));
  const made = Map.groupBy(history.calls, (call) => call.sendId);
  for (const [sendId, ofSend] of made) {
    examination.expect(9, ofSend.length === 1, () => `send ${sendId} was called ${ofSend.length} times`);
    const reply = replies.get(sendId);
    for (const call of ofSend) {
      examination.expect(
        9,
        reply !== undefined && reply.attemptedAt !== null && reply.attemptedAt <= call.at,
        () => `send ${sendId} was called without an attempt on the log before it`,
      );
      if (!reply) continue;
      examination.expect(
        9,
        call.at <= reply.sendBefore,
        () => `send ${sendId} was called ${call.at - reply.sendBefore} ms after its deadline`,
      );
      examination.expect(10, call.to === reply.answers, () => `send ${sendId} went to another address than it answers`);
    }
  }
};

/** 11. */
export const boundStatuses = (history: History, examination: Examination): void => {
  for (const { id, sends, itemised } of history.statuses)
    examination.expect(
      11,
      itemised ? sends.length === 0 : sends.length === 1,
      () => `status ${id} belongs to ${sends.length} sends and is ${itemised ? '' : 'not '}itemised`,
    );
};
