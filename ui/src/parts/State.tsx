/** How something is: a coloured dot for the eye, and a word that says the same. */
import type { ReactNode } from 'react';
import css from './table.module.css';

export type Colour = 'teal' | 'yellow' | 'red' | 'gray';

export function State({ color, children }: { color: Colour; children: ReactNode }) {
  return (
    <span className={css.state}>
      <span className={css.dot} style={{ background: `var(--mantine-color-${color}-6)` }} aria-hidden />
      <span>{children}</span>
    </span>
  );
}

export const YesNo = ({ yes, no = 'no' }: { yes: boolean; no?: string }) => (
  <State color={yes ? 'teal' : 'gray'}>{yes ? 'yes' : no}</State>
);
