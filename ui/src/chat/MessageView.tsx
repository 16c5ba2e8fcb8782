import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  Collapse,
  Group,
  Text,
  Textarea,
  Tooltip,
  UnstyledButton,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconBrain,
  IconChevronLeft,
  IconChevronRight,
  IconPencil,
  IconReceipt,
  IconRefresh,
  IconTool,
  IconWallet,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo, type ReactNode, useState } from 'react';
import { CodeBlock } from '~/parts/CodeBlock';
import { CopyButton } from '~/parts/CopyButton';
import { compact, usd } from '~/parts/figures';
import { Rich } from '~/parts/markdown/Rich';
import css from './chat.module.css';
import { FluxCards } from './FluxCards';
import { useDraft } from './live';
import type { Answer, Node } from './tree';

export type Acts = {
  edit: (node: Node, text: string) => void;
  again: (node: Node) => void;
  show: (id: string) => void;
};

type Sided = { node: Node; siblings: string[]; acts: Acts };

export const Question = memo(({ node, siblings, acts }: Sided) => {
  const [editing, setEditing] = useState<string | null>(null);
  if (editing !== null)
    return (
      <div className={css.editing}>
        <Textarea
          autosize
          autoFocus
          aria-label="Edit the question"
          value={editing}
          onChange={(event) => setEditing(event.currentTarget.value)}
        />
        <Group justify="flex-end" mt="xs" gap="xs">
          <Button size="xs" variant="default" onClick={() => setEditing(null)}>
            Cancel
          </Button>
          <Button
            size="xs"
            disabled={!editing.trim()}
            onClick={() => {
              acts.edit(node, editing.trim());
              setEditing(null);
            }}
          >
            Ask in a new branch
          </Button>
        </Group>
      </div>
    );
  return (
    <article className={css.question} aria-label="You">
      {node.images?.map((url, index) => (
        <img key={index} src={url} alt={`Attached ${index + 1}`} className={css.image} />
      ))}
      <div className={css.bubble} dir="auto">
        {node.text}
      </div>
      <Group gap={2} justify="flex-end" className={css.tools}>
        <Branches node={node} siblings={siblings} show={acts.show} />
        <Act label="Edit, as a new branch" act={() => setEditing(node.text)}>
          <IconPencil size={15} />
        </Act>
        <CopyButton text={node.text} />
      </Group>
    </article>
  );
}, same);

export const AnswerView = memo(({ node, siblings, acts, framed = false }: Sided & { framed?: boolean }) => {
  const draft = useDraft(node.id);
  const answer = draft?.answer ?? (node.answer as Answer);
  const text = draft?.text ?? node.text;
  const running = answer.state === 'running';
  return (
    <article
      className={framed ? css.framed : css.answer}
      aria-label={`Answer of ${answer.served ?? answer.model}`}
      aria-busy={running}
    >
      <Group gap={8} mb={6}>
        <Text size="sm" fw={620} className="anyword">
          {answer.served ?? answer.model}
        </Text>
        {answer.served && answer.served !== answer.model && answer.model !== 'Flux' && (
          <Badge size="sm" color="yellow" c="var(--mantine-color-text)">
            in place of {answer.model}
          </Badge>
        )}
        {answer.simulated && (
          <Tooltip label="No provider is configured: the simulator answers, and nothing is charged">
            <Badge size="sm" variant="outline" color="gray" c="dimmed">
              simulated
            </Badge>
          </Tooltip>
        )}
      </Group>
      {answer.flux && <FluxCards flux={answer.flux} />}
      {answer.reasoning && <Reasoning text={answer.reasoning} running={running && !text} />}
      {text && <Rich text={text} growing={running} />}
      {answer.tools.map((call, index) => (
        <Tool key={index} name={call.name} body={call.arguments} />
      ))}
      {running && !text && <span className={css.pulse} role="status" aria-label="Waiting for the answer" />}
      {answer.error && <Trouble answer={answer} again={() => acts.again(node)} />}
      {answer.state === 'stopped' && !answer.error && (
        <Text size="xs" c="dimmed" mt="xs">
          Stopped. What had arrived is kept{answer.simulated ? '' : ', and was charged'}.
        </Text>
      )}
      {answer.finish === 'length' && (
        <Text size="xs" c="dimmed" mt="xs">
          Cut off: the model reached its longest answer.
        </Text>
      )}
      {!running && <Foot node={node} answer={answer} siblings={siblings} acts={acts} />}
    </article>
  );
}, same);

function same(before: Sided, after: Sided): boolean {
  return before.node === after.node && before.siblings.join() === after.siblings.join();
}

function Foot({ node, answer, siblings, acts }: Sided & { answer: Answer }) {
  const cost = answer.simulated ? 'not charged' : usd(answer.cost);
  return (
    <Group gap={2} mt={8} className={css.tools}>
      {!answer.group && <Branches node={node} siblings={siblings} show={acts.show} />}
      <CopyButton text={node.text} />
      <Act label="Ask again" act={() => acts.again(node)}>
        <IconRefresh size={15} />
      </Act>
      {answer.usage && (
        <Text size="xs" c="dimmed" className="numbers" ml={6}>
          {compact(answer.usage.input)} in · {compact(answer.usage.output)} out
          {answer.seconds !== undefined && ` · ${answer.seconds.toFixed(1)} s`}
        </Text>
      )}
      {answer.cost !== undefined && answer.requestId && (
        <Link
          to="/usage/$receipt"
          params={{ receipt: answer.requestId }}
          className={css.cost}
          aria-label={`Receipt: ${cost}`}
        >
          <IconReceipt size={14} /> {cost}
        </Link>
      )}
    </Group>
  );
}

function Trouble({ answer, again }: { answer: Answer; again: () => void }) {
  const Icon = answer.unpaid ? IconWallet : IconAlertTriangle;
  return (
    <Alert
      color={answer.unpaid ? 'yellow' : 'red'}
      variant="light"
      mt="sm"
      title={answer.unpaid ? 'There is no money left for this' : undefined}
      icon={<Icon size={18} />}
      role="alert"
      classNames={{ message: css.trouble }}
    >
      <Text size="sm" className="anyword">
        {answer.error}
      </Text>
      <Group gap="xs" mt="xs">
        <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} onClick={again}>
          Try again
        </Button>
        {answer.unpaid && (
          <Button size="xs" variant="default" component={Link} to="/usage">
            See what is left
          </Button>
        )}
        {answer.requestId && (
          <Text size="xs" c="dimmed" ff="monospace">
            {answer.requestId}
          </Text>
        )}
      </Group>
    </Alert>
  );
}

function Reasoning({ text, running }: { text: string; running: boolean }) {
  const [open, { toggle }] = useDisclosure(false);
  return (
    <div className={css.reasoning}>
      <UnstyledButton onClick={toggle} aria-expanded={open} className={css.fold}>
        <IconBrain size={15} /> {running ? 'Thinking…' : 'Thoughts'}{' '}
        <IconChevronRight size={14} style={{ rotate: open ? '90deg' : '0deg' }} />
      </UnstyledButton>
      <Collapse expanded={open}>
        <div className={css.thoughts} dir="auto">
          {text}
        </div>
      </Collapse>
    </div>
  );
}

function Tool({ name, body }: { name: string; body: string }) {
  return (
    <div className={css.tool}>
      <Text size="xs" fw={600}>
        <IconTool size={13} /> calls {name || 'a tool'}
      </Text>
      <CodeBlock code={pretty(body)} language="json" />
    </div>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // still on its way, or never was JSON
  }
}

function Branches({ node, siblings, show }: { node: Node; siblings: string[]; show: (id: string) => void }) {
  const at = siblings.indexOf(node.id);
  if (siblings.length < 2) return null;
  const go = (to: number) => () => show(siblings[to] ?? node.id);
  return (
    <Group gap={0} mr={4} wrap="nowrap">
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label="The branch before"
        disabled={at === 0}
        onClick={go(at - 1)}
      >
        <IconChevronLeft size={15} />
      </ActionIcon>
      <Text size="xs" c="dimmed" className="numbers">
        {at + 1}/{siblings.length}
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label="The next branch"
        disabled={at === siblings.length - 1}
        onClick={go(at + 1)}
      >
        <IconChevronRight size={15} />
      </ActionIcon>
    </Group>
  );
}

function Act({ label, act, children }: { label: string; act: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={act}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
