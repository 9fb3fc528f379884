import type { OwnEvent } from '../ids.js';

/** A fact of this service with its place in its stream: what projections fold, live and when they are rebuilt. */
export type Recorded<Event extends OwnEvent = OwnEvent> = {
  readonly id: string;
  readonly streamVersion: number;
  /** When it was recorded; the event's `time`. */
  readonly time: string;
  readonly event: Event;
};
