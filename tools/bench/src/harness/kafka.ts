import { startKafka, type RunningKafka } from '@centralita/testing-engines';

/** A broker for measuring: tests start theirs with the quick compiler only. */
export const startBenchKafka = (options: { readonly dataDir: string; readonly heapMb: number }): Promise<RunningKafka> => {
  // This variable is the one that wins over a command line.
  process.env['_JAVA_OPTIONS'] = '-XX:TieredStopAtLevel=4';
  return startKafka(options);
};
