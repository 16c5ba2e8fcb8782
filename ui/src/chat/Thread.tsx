import { ActionIcon, Button, SimpleGrid, Text, Title } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Mark } from '~/shell/Mark';
import css from './chat.module.css';
import { type Acts, AnswerView, Question } from './MessageView';
import { type Conversation, childrenOf, comparedWith, type Node, pathOf } from './tree';

const IDEAS = [
  'Explain eventual consistency with an everyday example',
  'Write a Python function that merges overlapping intervals',
  'Compare three ways to cache an HTTP API',
  'Derive the quadratic formula, step by step',
];

type Props = { conversation: Conversation | undefined; acts: Acts; suggest: (text: string) => void };

export function Thread({ conversation, acts, suggest }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const [away, setAway] = useState(false);
  const path = conversation ? pathOf(conversation) : [];
  const column = useRef<HTMLDivElement>(null);
  const there = conversation !== undefined;
  useEffect(() => {
    const place = scroll.current;
    if (!there || !place || !column.current) return;
    const grown = new ResizeObserver(() => {
      if (follow.current) place.scrollTop = place.scrollHeight;
    });
    grown.observe(column.current);
    return () => grown.disconnect();
  }, [there]);
  const scrolled = () => {
    const place = scroll.current;
    if (!place) return;
    follow.current = place.scrollHeight - place.scrollTop - place.clientHeight < 60;
    setAway(!follow.current);
  };
  const toEnd = () => {
    follow.current = true;
    scroll.current?.scrollTo({ top: scroll.current.scrollHeight });
  };
  return (
    <div className={css.thread} ref={scroll} onScroll={scrolled} tabIndex={0} role="region" aria-label="Messages">
      {conversation ? (
        <div className={css.column} ref={column}>
          {path.map((node) => (
            <Turn key={node.id} conversation={conversation} node={node} acts={acts} />
          ))}
        </div>
      ) : (
        <Welcome suggest={suggest} />
      )}
      {away && (
        <ActionIcon
          className={css.toEnd}
          variant="default"
          radius="xl"
          size="lg"
          aria-label="To the end"
          onClick={toEnd}
        >
          <IconArrowDown size={18} />
        </ActionIcon>
      )}
    </div>
  );
}

function Turn({ conversation, node, acts }: { conversation: Conversation; node: Node; acts: Acts }) {
  const siblings = childrenOf(conversation, node.parent);
  const ids = siblings.map((one) => one.id);
  if (node.role === 'user') return <Question node={node} siblings={ids} acts={acts} />;
  const compared = comparedWith(conversation, node);
  if (compared.length < 2) return <AnswerView node={node} siblings={ids} acts={acts} />;
  return (
    <div className={css.compared} style={{ '--columns': compared.length } as React.CSSProperties}>
      {compared.map((one) => (
        <div key={one.id} className={css.side2} data-chosen={one.id === node.id || undefined}>
          <AnswerView node={one} siblings={ids} acts={acts} framed />
          <Button
            size="compact-xs"
            variant={one.id === node.id ? 'filled' : 'default'}
            onClick={() => acts.show(one.id)}
            aria-pressed={one.id === node.id}
          >
            {one.id === node.id ? 'Goes on with this one' : 'Go on with this one'}
          </Button>
        </div>
      ))}
    </div>
  );
}

function Welcome({ suggest }: { suggest: (text: string) => void }) {
  return (
    <div className={css.welcome}>
      <Mark size={54} />
      <Title order={1} size="h2" mt="md" ta="center">
        What shall we find out?
      </Title>
      <Text c="dimmed" ta="center" mt={6} maw={460}>
        One model, up to four side by side, or Flux: several draft and one writes the answer. Each answer says what it
        cost.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" mt="xl" maw={640} w="100%">
        {IDEAS.map((idea) => (
          <button key={idea} type="button" className={css.idea} onClick={() => suggest(idea)}>
            {idea}
          </button>
        ))}
      </SimpleGrid>
    </div>
  );
}
