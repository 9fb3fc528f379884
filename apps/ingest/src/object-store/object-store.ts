/** What we need of an object store; S3 and a folder both give it. Objects are ciphertext and never change. */
export type ObjectStore = {
  /** Resolves when the bytes are durable. Putting the same bytes again is harmless. */
  put(key: string, bytes: Buffer): Promise<void>;
  /** Null when there is no such object. */
  get(key: string): Promise<Buffer | null>;
  /** Size in bytes, null when there is no such object. */
  head(key: string): Promise<{ readonly bytes: number } | null>;
};
