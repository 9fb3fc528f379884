import type { PlatformStage } from '@centralita/contracts';

const KEPT_MS = 30 * 60_000;
/** What a page is given: a line of 120 values is as much as anybody sees. */
export const STEP_MS = 15_000;

export type StagePoint = {
  readonly perSecond: number | null;
  readonly lagRecords: number | null;
  readonly lagSeconds: number | null;
};
/** What one look found. */
export type Point = {
  readonly at: number;
  readonly stages: Readonly<Record<PlatformStage, StagePoint>>;
  readonly ackP99Seconds: number | null;
};

/** The last half hour of looks, and series of them at equal steps that end now. */
export class History {
  #points: Point[] = [];

  add(point: Point): void {
    this.#points = [...this.#points.filter(({ at }) => at > point.at - KEPT_MS), point];
  }

  mean(now: number, of: (point: Point) => number | null): (number | null)[] {
    return this.#series(now, of, (values) => values.reduce((total, value) => total + value, 0) / values.length);
  }

  /** The largest of each step: a short peak must not be averaged away. */
  worst(now: number, of: (point: Point) => number | null): (number | null)[] {
    return this.#series(now, of, (values) => Math.max(...values));
  }

  /** Steps begin at whole multiples, so that a line moves on and does not change its shape. */
  #series(now: number, of: (point: Point) => number | null, join: (values: number[]) => number): (number | null)[] {
    const steps = Map.groupBy(this.#points, ({ at }) => Math.floor(at / STEP_MS));
    const last = Math.floor(now / STEP_MS);
    return Array.from({ length: KEPT_MS / STEP_MS }, (_, index) => {
      const points = steps.get(last - KEPT_MS / STEP_MS + 1 + index) ?? [];
      const values = points.map(of).filter((value) => value !== null);
      return values.length === 0 ? null : join(values);
    });
  }
}
