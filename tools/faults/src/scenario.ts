import type { History } from '@centralita/testing-kit';
import type { Delivery, Random } from '@centralita/tool-simulator';
import type { Facts } from '@centralita/tool-start';
import type { Stack, StackOptions } from './harness/stack.js';

/** What a scenario did beside the day, and how it is judged beyond the invariants. */
export type Aftermath = {
  /** What must hold, for the report. */
  readonly what: string;
  /** Webhooks that it delivered itself, past the simulator. */
  readonly deliveries: readonly Delivery[];
  /** Over how many things it is judged. */
  readonly examined: number;
  /** Contradictions, in words. Called when everything is at rest. */
  readonly judge: (facts: Facts, history: History) => Promise<readonly string[]>;
};

/** Faults done to a running platform while customers write and agents work. */
export type Scenario = {
  readonly name: string;
  /** What must hold in spite of it, for the reader of the report. */
  readonly what: string;
  readonly customers: number;
  /** See `DayContext`: for faults that need load for longer than customers take to write. */
  readonly arrivalMs?: number;
  readonly brokers?: 1 | 3;
  readonly brokerSettings?: StackOptions['brokerSettings'];
  readonly logDiskMb?: number;
  readonly settings?: StackOptions['settings'];
  /** Part of the bounded subset that `npm test` runs. */
  readonly bounded: boolean;
  /** Does the faults. The day is being played; it goes on until its desks are empty, however long this takes. */
  readonly faults: (stack: Stack, random: Random, print: (line: string) => void) => Promise<Aftermath | void>;
  /** Done when the day is over and checked, on the same platform. */
  readonly afterwards?: (stack: Stack, random: Random, print: (line: string) => void) => Promise<Aftermath>;
};
