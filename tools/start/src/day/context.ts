import type { PlanNumber } from './plan.js';

export type Login = { readonly username: string; readonly password: string; readonly actorId: string; readonly label: string };

export type TenantContext = {
  readonly tenantId: string;
  readonly name: string;
  readonly app: string;
  readonly agents: readonly Login[];
  readonly supervisor: Login;
  readonly compliance: Login;
  readonly billing: Login;
  readonly platform: Login;
  readonly queues: readonly { readonly queueId: string; readonly name: string }[];
};

/** Everything that the player of the day needs to know about the running system. */
export type DayContext = {
  readonly seed: number;
  readonly customers: number;
  readonly gatewayUrl: string;
  readonly simulatorUrl: string;
  readonly numbers: readonly PlanNumber[];
  readonly tenants: readonly TenantContext[];
  readonly progress: (text: string) => void;
  /** Milliseconds from one customer's first message to the next one's, for a day that is to last. @default 0: as fast as they can */
  readonly arrivalMs?: number;
  /** How often people press Retry before they give up. A day with faults needs more than a day without. @default 5 */
  readonly patience?: number;
  /**
   * Whether the platform has done what it was given so far. In a day with faults an empty board may only mean that the services behind it
   * are not up again: nothing is concluded from it before this is true.
   */
  readonly caughtUp?: () => Promise<boolean>;
};
