import type { ThreadItem } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { getFile } from '../api/client.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import classes from './message.module.css';

type MediaOf = NonNullable<ThreadItem['media']>;

const Opened = ({ media, url, name }: { readonly media: MediaOf; readonly url: string; readonly name: string }): ReactNode => {
  const { t } = useTranslation();
  // Customers send what no browser can show, and files that are not what they say.
  const [broken, setBroken] = useState(false);
  const kind = media.mimeType.split('/')[0];
  const fail = (): void => setBroken(true);
  if (!broken && kind === 'image') return <img src={url} alt={name} className={classes.image} onError={fail} />;
  if (!broken && kind === 'audio') return <audio controls src={url} aria-label={name} onError={fail} />;
  if (!broken && kind === 'video') return <video controls src={url} aria-label={name} className={classes.image} onError={fail} />;
  return (
    <p>
      {broken && <span className={classes.dim}>{t('thread.mediaUnreadable')} </span>}
      <a href={url} download={media.fileName ?? name}>
        {t('thread.mediaSave', { name: media.fileName ?? name })}
      </a>
    </p>
  );
};

/** A file of the customer. It is fetched when somebody opens it, and each opening is a record. */
export const Media = ({ media, type }: { readonly media: MediaOf; readonly type: string | null }): ReactNode => {
  const { t, i18n } = useTranslation();
  const [url, setUrl] = useState<string | null>(null);
  const open = useMutation({
    mutationFn: () => getFile(`/v1/media/${media.mediaId}`),
    onSuccess: (file) => setUrl(URL.createObjectURL(file)),
  });
  useEffect(() => () => (url === null ? undefined : URL.revokeObjectURL(url)), [url]);
  const word = i18n.exists(`media.${type ?? ''}`) ? t(`media.${type ?? ''}`) : t('media.file');
  if (media.state === 'lost') return <p className={classes.dim}>{t('thread.mediaLost')}</p>;
  if (url !== null) return <Opened media={media} url={url} name={media.fileName ?? word} />;
  return (
    <div className={classes.media}>
      <span>
        {media.fileName ? <span dir="auto">{media.fileName}</span> : word}
        <span className={classes.dim}> {media.mimeType}</span>
      </span>
      {media.state === 'pending' ? (
        <span className={classes.dim}>{t('thread.mediaPending')}</span>
      ) : (
        <Button size="xs" variant="default" disabled={open.isPending} onClick={() => open.mutate()}>
          {t('thread.media', { type: word })}
        </Button>
      )}
      {open.error && <ProblemNotice error={open.error} onRetry={() => open.mutate()} />}
    </div>
  );
};
