/** Markdown, whose reader comes after the page: until it is there, and where it cannot be had, the text stands as it is. */
import { lazy, Suspense } from 'react';
import css from './markdown.module.css';

type Props = { text: string; growing?: boolean };

const Plain = ({ text }: Props) => (
  <div className={css.markdown} style={{ whiteSpace: 'pre-wrap' }} dir="auto">
    {text}
  </div>
);
const read = () => import('./Markdown').then(({ Markdown }) => ({ default: Markdown }));
const Markdown = lazy(() => read().catch(() => ({ default: Plain })));

export function Rich(props: Props) {
  return (
    <Suspense fallback={<Plain {...props} />}>
      <Markdown {...props} />
    </Suspense>
  );
}

/** Asked for when somebody begins to write, so that it is there before the answer. */
export function readAhead(): void {
  void read().catch(() => undefined);
}
