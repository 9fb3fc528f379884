import { Semaphore } from 'async-mutex';

/** What is counted: the semaphore counts down one by one each time something is given back, so that bytes would take it a second. */
const MIB = 1024 * 1024;
/** Copies of an object that are in memory at once: its chunks or the plaintext, what the cipher makes of it, and the whole to be stored. */
const COPIES_OF_FETCHED = 3;
/** The ciphertext and what is sent. */
const COPIES_OF_READ = 2;

/**
 * Memory for whole objects, shared out in the order of asking: a process that takes what comes is ended by the first four long videos at
 * once. Reads have a share of their own, so that nobody who looks at a picture waits for a download.
 */
export class MediaMemory {
  readonly #fetched: Share;
  readonly #read: Share;

  constructor(bytes: number) {
    const part = bytes / (COPIES_OF_FETCHED + COPIES_OF_READ);
    this.#fetched = new Share(part * COPIES_OF_FETCHED, COPIES_OF_FETCHED);
    this.#read = new Share(part * COPIES_OF_READ, COPIES_OF_READ);
  }

  /** Runs work that fetches an object of so many bytes. */
  async whileFetching<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const release = await this.#fetched.take(bytes);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Resolves when an object of so many bytes may be read; held until the reader has it or has gone. */
  async untilReadable(bytes: number, reader: AbortSignal): Promise<void> {
    const release = await this.#read.take(bytes);
    if (reader.aborted) release();
    else reader.addEventListener('abort', release, { once: true });
  }
}

class Share {
  readonly #free: Semaphore;
  readonly #mebibytes: number;

  constructor(
    bytes: number,
    private readonly copies: number,
  ) {
    this.#mebibytes = Math.max(1, Math.floor(bytes / MIB));
    this.#free = new Semaphore(this.#mebibytes);
  }

  /** An object that is bigger than the share has all of it to itself. */
  async take(bytes: number): Promise<() => void> {
    const mebibytes = Math.max(1, Math.ceil((bytes * this.copies) / MIB));
    const [, release] = await this.#free.acquire(Math.min(mebibytes, this.#mebibytes));
    return release;
  }
}
