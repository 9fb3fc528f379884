import type { ReactNode } from 'react';

/** The sign of the product: a switchboard's jack, and the ring of the window that drains. */
export const Mark = ({ size }: { readonly size: number }): ReactNode => (
  <svg viewBox="0 0 28 28" width={size} height={size} aria-hidden="true">
    <circle cx="14" cy="14" r="11" fill="none" stroke="var(--ct-hairline)" strokeWidth="4" />
    <circle
      cx="14"
      cy="14"
      r="11"
      fill="none"
      stroke="var(--ct-link)"
      strokeWidth="4"
      strokeDasharray="52 18"
      transform="rotate(-90 14 14)"
    />
    <circle cx="14" cy="14" r="3.5" fill="var(--ct-ink)" />
  </svg>
);
