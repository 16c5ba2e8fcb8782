import type { Token, Tokens } from 'marked';
import { createElement, lazy, memo, type ReactNode, Suspense, useMemo, useRef } from 'react';
import { CodeBlock } from '../CodeBlock';
import { blocksOf, type Grown, grown, type Maths, plain, safeHref } from './lexer';
import css from './markdown.module.css';

const Formula = lazy(() => import('./Formula'));

/** While an answer grows only its last block is read and painted again; once it is whole, all of it is read once. */
export function Markdown({ text, growing = false }: { text: string; growing?: boolean }) {
  const read = useRef<Grown | null>(null);
  const blocks = useMemo(() => {
    read.current = growing ? grown(read.current, text) : null;
    return read.current?.blocks ?? blocksOf(text);
  }, [text, growing]);
  return (
    <div className={css.markdown} dir="auto" data-markdown>
      {blocks.map((token, index) => (
        <Block key={index} token={token} />
      ))}
    </div>
  );
}

const Block = memo(
  ({ token }: { token: Token }) => <>{blockOf(token)}</>,
  (before, after) =>
    before.token === after.token || (before.token.raw === after.token.raw && before.token.type === after.token.type),
);

function many(tokens: Token[] | undefined, one: (token: Token) => ReactNode): ReactNode {
  return tokens?.map((token, index) => <Piece key={index}>{one(token)}</Piece>);
}

const Piece = ({ children }: { children: ReactNode }) => <>{children}</>;

function blockOf(token: Token): ReactNode {
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      return createElement(`h${Math.min(6, (token as Tokens.Heading).depth + 2)}`, null, many(token.tokens, inlineOf));
    case 'paragraph':
      return <p>{many(token.tokens, inlineOf)}</p>;
    case 'code':
      return <CodeBlock code={(token as Tokens.Code).text} language={(token as Tokens.Code).lang ?? ''} />;
    case 'blockquote':
      return <blockquote>{many(token.tokens, blockOf)}</blockquote>;
    case 'list':
      return listOf(token as Tokens.List);
    case 'table':
      return tableOf(token as Tokens.Table);
    case 'hr':
      return <hr />;
    case 'maths':
      return formula(token as Maths);
    case 'text':
      return token.tokens ? many(token.tokens, inlineOf) : plain(token.text);
    default:
      return <p className={css.raw}>{token.raw}</p>; // HTML among it: shown, never run
  }
}

function listOf(list: Tokens.List): ReactNode {
  const items = list.items.map((item, index) => (
    <li key={index} className={item.task ? css.task : undefined}>
      {item.task && <input type="checkbox" checked={Boolean(item.checked)} readOnly disabled aria-label="Task" />}
      {many(item.tokens, blockOf)}
    </li>
  ));
  return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function tableOf(table: Tokens.Table): ReactNode {
  const cell = (part: Tokens.TableCell, index: number, Tag: 'th' | 'td') => (
    <Tag key={index} style={part.align ? { textAlign: part.align } : undefined}>
      {many(part.tokens, inlineOf)}
    </Tag>
  );
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>
          <tr>{table.header.map((part, index) => cell(part, index, 'th'))}</tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            <tr key={at}>{row.map((part, index) => cell(part, index, 'td'))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inlineOf(token: Token): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong>{many(token.tokens, inlineOf)}</strong>;
    case 'em':
      return <em>{many(token.tokens, inlineOf)}</em>;
    case 'del':
      return <del>{many(token.tokens, inlineOf)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'br':
      return <br />;
    case 'link':
      return linkOf((token as Tokens.Link).href, many(token.tokens, inlineOf));
    case 'image': // would be fetched from elsewhere
      return linkOf((token as Tokens.Image).href, `🖼 ${(token as Tokens.Image).text}`);
    case 'maths':
      return formula(token as Maths);
    case 'text':
      return token.tokens ? many(token.tokens, inlineOf) : plain(token.text);
    case 'escape':
      return (token as Tokens.Escape).text;
    default:
      return token.raw;
  }
}

function linkOf(href: string, children: ReactNode): ReactNode {
  const safe = safeHref(href);
  if (!safe) return <span>{children}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function formula(token: Maths): ReactNode {
  return (
    <Suspense fallback={<code>{token.text}</code>}>
      <Formula text={token.text} block={token.block} />
    </Suspense>
  );
}
