import { Badge, Collapse, Group, Loader, Paper, SimpleGrid, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconCheck, IconChevronDown, IconClock, IconX } from '@tabler/icons-react';
import { millis, mostUsd, usd } from '~/parts/figures';
import { Rich } from '~/parts/markdown/Rich';
import css from './chat.module.css';
import type { FluxState, Seat } from './flux';

const COLOUR = { waiting: 'gray', running: 'iris', done: 'teal', failed: 'red', cancelled: 'yellow' } as const;

export function FluxCards({ flux }: { flux: FluxState }) {
  return (
    <section aria-label="Sources" className={css.flux}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: Math.min(3, Math.max(1, flux.sources.length)) }} spacing="xs">
        {flux.sources.map((seat, index) => (
          <SeatCard key={index} seat={seat} role="Source" />
        ))}
      </SimpleGrid>
      {flux.analysis && (
        <SeatCard
          seat={{ ...flux.analysis, ...(flux.comparison ? { draft: flux.comparison } : {}) }}
          role="Comparison"
        />
      )}
      {flux.fuser && (
        <Group gap={8} mt={8}>
          <State status={flux.fuser.status} />
          <Text size="xs" c="dimmed">
            Synthesis by <b>{flux.fuser.name}</b>
            {flux.fuser.cost && ` · ${usd(flux.fuser.cost)}`}
            {flux.worst && ` · the whole panel at most ${mostUsd(flux.worst)}`}
          </Text>
        </Group>
      )}
      {flux.degraded && (
        <Text size="xs" c="dimmed" mt={4}>
          {flux.reason ?? 'One of the drafts is the answer: nobody could fuse them.'}
        </Text>
      )}
    </section>
  );
}

function SeatCard({ seat, role }: { seat: Seat; role: string }) {
  const [open, { toggle }] = useDisclosure(false);
  return (
    <Paper withBorder p="xs" radius="md" className={css.seat} data-status={seat.status}>
      <Group justify="space-between" wrap="nowrap" gap={6}>
        <Text size="sm" fw={600} truncate title={seat.model}>
          {seat.name}
        </Text>
        <State status={seat.status} />
      </Group>
      <Group gap={8} mt={4} justify="space-between">
        <Text size="xs" c="dimmed" className="numbers">
          {role}
          {seat.latencyMs !== undefined && ` · ${millis(seat.latencyMs)}`}
          {seat.cost !== undefined ? ` · ${usd(seat.cost)}` : seat.worst ? ` · ≤ ${mostUsd(seat.worst)}` : ''}
        </Text>
        {seat.draft && (
          <UnstyledButton onClick={toggle} aria-expanded={open} className={css.draft}>
            {open ? 'Hide' : 'Draft'} <IconChevronDown size={13} style={{ rotate: open ? '180deg' : '0deg' }} />
          </UnstyledButton>
        )}
      </Group>
      {seat.reason && (
        <Text size="xs" c="dimmed" mt={4} className="anyword">
          {seat.reason}
        </Text>
      )}
      {seat.draft && (
        <Collapse expanded={open}>
          <div className={css.draftText}>
            <Rich text={seat.draft} />
          </div>
        </Collapse>
      )}
    </Paper>
  );
}

function State({ status }: { status: Seat['status'] }) {
  const icon =
    status === 'running' ? (
      <Loader size={10} color="gray" />
    ) : status === 'done' ? (
      <IconCheck size={12} />
    ) : status === 'waiting' ? (
      <IconClock size={12} />
    ) : (
      <IconX size={12} />
    );
  return (
    <Badge size="sm" variant="outline" color={COLOUR[status]} leftSection={icon} c="var(--mantine-color-text)">
      {status}
    </Badge>
  );
}
