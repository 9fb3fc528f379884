import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { highest, UNKNOWN } from './figures.js';
import { knownOf, linesOf } from './lines.js';
import classes from './platform.module.css';

const WIDTH = 120;
const HEIGHT = 28;

/** The last half hour, or what is known of it, as one line; gaps where nothing was known. Its words say now and the highest; the table below has the rest. */
export const Sparkline = ({
  label,
  history,
  stepSeconds,
  goal,
  format,
  kind = 'ink',
}: {
  readonly label: string;
  readonly history: readonly (number | null)[];
  readonly stepSeconds: number;
  /** Drawn as a dashed line, and always within the picture. */
  readonly goal?: number;
  readonly format: (value: number | null) => string;
  readonly kind?: 'ink' | 'petrol';
}): ReactNode => {
  const { t } = useTranslation();
  const known = knownOf(history);
  const top = highest(known);
  const scale = Math.max(top ?? 0, goal ?? 0) || 1;
  const words = top === null ? t('platform.noHistory') : t('platform.highest', { value: format(top) });
  return (
    <figure className={classes.spark}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}. ${words}. ${t('platform.now', { value: format(history.at(-1) ?? null) })}`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className={classes.base} />
        {goal !== undefined && (
          <line
            x1="0"
            x2={WIDTH}
            y1={HEIGHT - 1 - (goal / scale) * (HEIGHT - 3)}
            y2={HEIGHT - 1 - (goal / scale) * (HEIGHT - 3)}
            className={classes.goal}
          />
        )}
        {linesOf(known, { width: WIDTH, height: HEIGHT, scale }).map((points) => (
          <polyline key={points} points={points} className={classes.line} data-kind={kind} />
        ))}
      </svg>
      <figcaption aria-hidden="true">
        <span>{t('platform.span', { n: Math.round((known.length * stepSeconds) / 60) })}</span>
        <span>{top === null ? UNKNOWN : t('platform.highest', { value: format(top) })}</span>
      </figcaption>
    </figure>
  );
};
