import type { Cursor, Fetched } from '../driver/reader.js';
import { samePartition } from '../driver/reader.js';
import { topicUnknown } from '../failures.js';
import { protocolError } from './answers.js';
import type { Directory } from './directory.js';
import { fetchFrom } from './fetch.js';
import type { Wire } from './wire.js';

const LEADER_NOT_AVAILABLE = 5;
const MAX_WAIT_MS = 500;
const REQUEST_BYTES = 10 * 1024 * 1024;

/** One request to each leader. After a failure the next call asks who leads now: the caller persists. */
export const fetcher = (directory: Directory, wire: Wire): ((cursors: readonly Cursor[]) => Promise<Fetched[]>) => {
  let unsure = false;
  return async (cursors) => {
    const topics = [...new Set(cursors.map(({ topic }) => topic))];
    try {
      if (unsure) await directory.refresh(topics);
      for (const topic of topics) await directory.topic(topic);
      const byLeader = Map.groupBy(cursors, ({ topic, partition }) => {
        const leaders = directory.known(topic)?.leaders;
        if (leaders && partition >= leaders.length) throw topicUnknown(topic, partition);
        const broker = leaders?.[partition]?.broker;
        if (!broker) throw protocolError(LEADER_NOT_AVAILABLE);
        return broker;
      });
      const fetched = await Promise.all(
        [...byLeader].map(async ([broker, led]) => {
          const wanted = led.map(({ topic, partition, next }) => ({ topic, partition, from: next }));
          return fetchFrom({ wire, directory }, broker, wanted, { maxWaitMs: MAX_WAIT_MS, requestBytes: REQUEST_BYTES });
        }),
      );
      const found = fetched.flat();
      const failed = found.find(({ code }) => code !== 0);
      if (failed) throw protocolError(failed.code);
      unsure = false;
      return found.flatMap(({ records, ...where }) => {
        const cursor = cursors.find((each) => samePartition(each, where));
        return cursor ? [{ cursor, records }] : [];
      });
    } catch (error) {
      unsure = true;
      throw error;
    }
  };
};
