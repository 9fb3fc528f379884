import { PlatformError } from '@centralita/contracts';

export const KeyProviderNames = ['local', 'vault'] as const;
export type KeyProviderName = (typeof KeyProviderNames)[number];

/** A key that some version of a provider's key has wrapped. What was wrapped before versions were written down has the version ''. */
export type Wrapped = { readonly provider: string; readonly version: string; readonly bytes: Buffer };
/** A key bound to where it belongs: it cannot be unwrapped as another one. */
export type Placed<T> = { readonly place: string; readonly value: T };

/**
 * Who holds the key that wraps the tenants' keys (KEK): the one secret that is not in a database. Every call takes several keys, so that
 * a remote provider is asked once.
 */
export type KeyProvider = {
  readonly name: KeyProviderName;
  /** The version that wraps now. Throws KEY_UNAVAILABLE, with one sentence that says what is wrong: also the check of a start. */
  version(): Promise<string>;
  /** Throws KEY_UNAVAILABLE. */
  wrap(keys: readonly Placed<Buffer>[]): Promise<Wrapped[]>;
  /** Throws KEY_UNAVAILABLE, or DECRYPTION_FAILED where key, place or bytes are others. */
  unwrap(wrapped: readonly Placed<Wrapped>[]): Promise<Buffer[]>;
  /** The same keys under the version that wraps now. */
  rewrap(wrapped: readonly Placed<Wrapped>[]): Promise<Wrapped[]>;
  close(): void;
};

/** A provider that also opens what others have wrapped, while an installation moves from one to the next. */
export const withFormer = (current: KeyProvider, former: readonly KeyProvider[]): KeyProvider => {
  const all = [current, ...former];
  const ownerOf = ({ provider }: Wrapped): KeyProvider => {
    const owner = all.find(({ name }) => name === provider);
    if (owner) return owner;
    throw new PlatformError(
      'KEY_UNAVAILABLE',
      `a tenant’s keys are wrapped by the key provider ${provider}, and this process knows ${all.map(({ name }) => name).join(', ')}`,
      { provider },
    );
  };
  const unwrap = async (wrapped: readonly Placed<Wrapped>[]): Promise<Buffer[]> => {
    const [first] = wrapped;
    // The keys of one tenant are wrapped together; others are asked for one by one.
    if (first && wrapped.every(({ value }) => value.provider === first.value.provider))
      return ownerOf(first.value).unwrap(wrapped);
    return (await Promise.all(wrapped.map((one) => ownerOf(one.value).unwrap([one])))).flat();
  };
  return {
    name: current.name,
    version: () => current.version(),
    wrap: (keys) => current.wrap(keys),
    unwrap,
    rewrap: async (wrapped) => {
      if (wrapped.every(({ value }) => value.provider === current.name)) return current.rewrap(wrapped);
      const keys = await unwrap(wrapped);
      return current.wrap(wrapped.map(({ place }, index) => ({ place, value: keys[index] as Buffer })));
    },
    close: () => all.forEach((one) => one.close()),
  };
};
