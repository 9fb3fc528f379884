import type { Random } from '@centralita/tool-simulator';
import type { Stack, StackOptions } from './harness/stack.js';

/** Faults done to a running platform while customers write and agents work. */
export type Scenario = {
  readonly name: string;
  /** What must hold in spite of it, for the reader of the report. */
  readonly what: string;
  readonly customers: number;
  readonly brokers?: 1 | 3;
  readonly brokerSettings?: StackOptions['brokerSettings'];
  readonly logDiskMb?: number;
  readonly settings?: StackOptions['settings'];
  /** Part of the bounded subset that `npm test` runs. */
  readonly bounded: boolean;
  /** Does the faults. The day is being played; it goes on until its desks are empty, however long this takes. */
  readonly faults: (stack: Stack, random: Random, print: (line: string) => void) => Promise<void>;
};
