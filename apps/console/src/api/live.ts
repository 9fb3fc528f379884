import type { Pointer } from '@centralita/contracts';
import { useEffect, useSyncExternalStore } from 'react';

export type LivePointer = Pointer & { readonly service: string };
export type LiveState = 'live' | 'reconnecting' | 'offline';

const HEARTBEAT_LIMIT_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The one live stream of pointers: ids and versions, never customer data. After a break it goes on from the last cursor, so nothing is
 * missed and nothing is loaded again without need; where it cannot go on, it says that there is a gap.
 */
class LiveStream {
  #source: EventSource | null = null;
  #cursor: string | null = null;
  #started = false;
  #state: LiveState = 'reconnecting';
  #failures = 0;
  #lastSign = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  readonly #pointerListeners = new Set<(pointer: LivePointer) => void>();
  readonly #gapListeners = new Set<() => void>();
  readonly #stateListeners = new Set<() => void>();
  #breakListener = (): void => undefined;

  /** When the last sign of life came, in milliseconds; what is shown is at least as old as that. */
  get lastSign(): number {
    return this.#lastSign;
  }

  get state(): LiveState {
    return this.#state;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#connect();
    this.#watch = setInterval(() => {
      if (this.#state === 'live' && Date.now() - this.#lastSign > HEARTBEAT_LIMIT_MS) this.#broken();
    }, 1000);
  }

  stop(): void {
    this.#started = false;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    this.#cursor = null;
    this.#set('reconnecting');
  }

  /** Called each time that the stream breaks or cannot be opened: the session may have ended. */
  onBreak(listener: () => void): void {
    this.#breakListener = listener;
  }

  onPointer(listener: (pointer: LivePointer) => void): () => void {
    this.#pointerListeners.add(listener);
    return () => this.#pointerListeners.delete(listener);
  }

  /** Called when something may never be told: what is shown is to be asked for again. */
  onGap(listener: () => void): () => void {
    this.#gapListeners.add(listener);
    return () => this.#gapListeners.delete(listener);
  }

  onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #connect(): void {
    const source = new EventSource(`/api/live${this.#cursor === null ? '' : `?cursor=${encodeURIComponent(this.#cursor)}`}`);
    this.#source = source;
    const sign = (event: MessageEvent): void => {
      this.#lastSign = Date.now();
      this.#failures = 0;
      if (event.lastEventId) this.#cursor = event.lastEventId;
      this.#set('live');
    };
    source.addEventListener('open', () => {
      this.#lastSign = Date.now();
      this.#set('live');
    });
    source.addEventListener('heartbeat', sign);
    source.addEventListener('pointer', (event: MessageEvent<string>) => {
      sign(event);
      const pointer = JSON.parse(event.data) as LivePointer;
      for (const listener of this.#pointerListeners) listener(pointer);
    });
    source.addEventListener('gap', (event) => {
      sign(event);
      for (const listener of this.#gapListeners) listener();
    });
    source.addEventListener('error', () => this.#broken());
  }

  #broken(): void {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#retry);
    this.#set(navigator.onLine ? 'reconnecting' : 'offline');
    this.#failures += 1;
    this.#breakListener();
    const pause = Math.min(1000 * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.#retry = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  #set(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }
}

export const live = new LiveStream();

export const useLiveState = (): LiveState => useSyncExternalStore(live.onState, () => live.state);

/** Calls back for each pointer while the component is mounted. The callback must be stable. */
export const useLivePointers = (listener: (pointer: LivePointer) => void): void =>
  useEffect(() => live.onPointer(listener), [listener]);

/** Calls back when pointers may be missing, while the component is mounted. The callback must be stable. */
export const useLiveGap = (listener: () => void): void => useEffect(() => live.onGap(listener), [listener]);
