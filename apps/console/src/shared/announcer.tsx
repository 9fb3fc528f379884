import { useSyncExternalStore, type ReactNode } from 'react';

let said = '';
const listeners = new Set<() => void>();
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Says something to people who do not look, when they have finished listening to what went before. */
export const announce = (text: string): void => {
  // The same words twice are an event twice; a changed end makes a screen reader say them again.
  said = said === text ? `${text}\u00a0` : text;
  for (const listener of listeners) listener();
};

/** The one polite region of the page. */
export const Announcer = (): ReactNode => (
  <div className="ct-only-read" role="status" aria-live="polite">
    {useSyncExternalStore(subscribe, () => said)}
  </div>
);
