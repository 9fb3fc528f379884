/** How a loop waits: for some time, or until somebody has something for it. What comes while it works is not lost. */
export class Pause {
  #woken = false;
  #deaf = false;
  #done: ((woken: boolean) => void) | undefined;

  /** Ends the pause that is under way, or the next one before it begins; a deaf one goes on. */
  wake(): void {
    this.#woken = true;
    if (!this.#deaf) this.#done?.(true);
  }

  /** Ends the pause that is under way even if it is deaf. */
  interrupt(): void {
    this.#woken = true;
    this.#done?.(true);
  }

  /** True when it was ended before the time. A deaf pause hears no news: after a failure they are no reason to hurry. */
  sleep(ms: number, options: { readonly deaf?: boolean } = {}): Promise<boolean> {
    const { deaf = false } = options;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#done?.(false), ms);
      this.#deaf = deaf;
      this.#done = (woken): void => {
        clearTimeout(timer);
        this.#done = undefined;
        if (!deaf) this.#woken = false;
        resolve(woken);
      };
      if (this.#woken && !deaf) this.#done(true);
    });
  }
}
