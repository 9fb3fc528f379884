/** Milliseconds since the epoch, UTC. State and inputs compare these; events carry the ISO form. */
export type Millis = number;

export const toInstant = (at: Millis): string => new Date(at).toISOString();
export const toInstantOrNull = (at: Millis | null): string | null => (at === null ? null : toInstant(at));
export const toMillis = (instant: string): Millis => Date.parse(instant);
export const toMillisOrNull = (instant: string | null): Millis | null => (instant === null ? null : toMillis(instant));
