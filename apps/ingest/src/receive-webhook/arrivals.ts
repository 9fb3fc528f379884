import type { IncomingMessage } from 'node:http';
import { PlatformError } from '@centralita/contracts';

type Arrival = { bytes: number; readonly refuse: (error: PlatformError) => void };

/**
 * Bodies on their way in. Nothing of them is verified yet, so whoever can connect could fill the memory with a thousand bodies that never
 * end: together they hold no more than a bound, and beyond it the one that has been arriving longest is let go. The provider's own take
 * milliseconds and are the youngest.
 */
export class Arrivals {
  /** In the order in which they began. */
  readonly #arriving = new Set<Arrival>();
  #bytes = 0;

  /** `bodyBytes`: of one body; `totalBytes`: of all that are not complete, at least as many. */
  constructor(private readonly limits: { readonly bodyBytes: number; readonly totalBytes: number }) {}

  /** Bytes that are held for bodies that are not complete. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The whole body. Rejects with PAYLOAD_TOO_LARGE, before a byte is read when its length is declared; with RATE_LIMITED when let go
   * (no fault of ours: it must not fill the error log). */
  async read(request: IncomingMessage): Promise<Buffer> {
    const { bodyBytes, totalBytes } = this.limits;
    if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const leave = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost);
      if (this.#arriving.delete(arrival)) this.#bytes -= arrival.bytes;
      chunks.length = 0;
    };
    const refuse = (error: PlatformError): void => {
      leave();
      reject(error);
    };
    const arrival: Arrival = { bytes: 0, refuse };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      arrival.bytes += chunk.length;
      this.#bytes += chunk.length;
      if (arrival.bytes > bodyBytes) refuse(tooLarge());
      for (const oldest of this.#arriving) {
        if (this.#bytes <= totalBytes) break;
        oldest.refuse(new PlatformError('RATE_LIMITED', 'too many bodies are arriving'));
      }
    };
    const onEnd = (): void => {
      const body = Buffer.concat(chunks, arrival.bytes);
      leave();
      resolve(body);
    };
    const onLost = (): void => refuse(new PlatformError('VALIDATION_FAILED', 'the body did not arrive whole'));
    this.#arriving.add(arrival);
    request.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost);
    return promise;
  }
}

const tooLarge = (): PlatformError => new PlatformError('PAYLOAD_TOO_LARGE', 'the body is too large');
