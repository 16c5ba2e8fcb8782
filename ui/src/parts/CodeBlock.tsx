import { memo, useMemo } from 'react';
import { CopyButton } from './CopyButton';
import css from './code.module.css';
import { spansOf } from './highlight';

const LONG = 20_000; // colours would cost more than they help

export const CodeBlock = memo(({ code, language }: { code: string; language: string }) => {
  const spans = useMemo(() => (code.length > LONG ? null : spansOf(code, language)), [code, language]);
  return (
    <figure className={css.block} dir="ltr">
      <figcaption className={css.caption}>
        <span>{language || 'text'}</span>
        <CopyButton text={code} />
      </figcaption>
      <pre className={css.code} tabIndex={0}>
        <code>
          {spans
            ? spans.map((span, index) =>
                span.kind === 'plain' ? (
                  span.text
                ) : (
                  <span key={index} className={css[span.kind]}>
                    {span.text}
                  </span>
                ),
              )
            : code}
        </code>
      </pre>
    </figure>
  );
});
