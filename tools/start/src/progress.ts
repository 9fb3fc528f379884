/** Prints one line a step with its duration, and keeps the durations for the report. */
export class Progress {
  readonly durations: Record<string, number> = {};

  constructor(private readonly write: (text: string) => void = (text) => void process.stdout.write(text)) {}

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Runs a step; `id` names its duration (seconds) in the report. */
  async step<T>(id: string, title: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.line(`… ${title}`);
    try {
      const result = await work();
      this.#record(id, started);
      this.line(`✓ ${title} (${this.durations[id]} s)`);
      return result;
    } catch (error) {
      this.#record(id, started);
      this.line(`✗ ${title} (${this.durations[id]} s)`);
      throw error;
    }
  }

  #record(id: string, started: number): void {
    this.durations[id] = Math.round((performance.now() - started) / 10) / 100;
  }
}
