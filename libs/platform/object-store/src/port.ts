export type StoredObject = { readonly key: string; readonly bytes: number };

/** What we need of an object store; S3 and a folder both give it, and one contract suite holds both to it. */
export type ObjectStore = {
  /** Resolves when the bytes are durable. Putting the same bytes again is harmless. */
  put(key: string, bytes: Buffer): Promise<void>;
  /**
   * Puts an object where there is none. `stored`: exactly these bytes stand there now, by this call or by an earlier one whose answer was
   * lost; `taken`: other bytes stood there, and still do. Of several writers with different bytes one gets `stored`.
   */
  putIfAbsent(key: string, bytes: Buffer): Promise<'stored' | 'taken'>;
  /** Null when there is no such object. */
  get(key: string): Promise<Buffer | null>;
  /** Size in bytes, null when there is no such object. */
  head(key: string): Promise<{ readonly bytes: number } | null>;
  /** Objects whose key begins with `folder/`, in the order of their keys, those behind `after` when it is given. */
  list(folder: string, after?: string): AsyncIterable<StoredObject>;
};
