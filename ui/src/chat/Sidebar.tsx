import { ActionIcon, Button, Menu, Modal, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconDots, IconDownload, IconPencil, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import css from './chat.module.css';
import type { Chats, View } from './chats';
import { heads } from './shelf';
import { asMarkdown, type Conversation } from './tree';

type Entry = { id: string; title: string; updated: number };
type Props = { chats: Chats; view: View; current?: string | undefined; chosen?: () => void };

/** What the gateway keeps, and what it has not taken yet. */
function entriesOf(view: View): Entry[] {
  const own = Object.values(view.all).filter((one) => !one.server);
  return [
    ...own.map(({ id, title, updated }) => ({ id, title, updated })),
    ...view.heads.map(({ id, name, changed }) => ({ id, title: name, updated: changed })),
  ].sort((a, b) => b.updated - a.updated);
}

export function Sidebar({ chats, view, current, chosen }: Props) {
  const [typed, setTyped] = useState('');
  const [sought] = useDebouncedValue(typed.trim(), 200);
  const found = useQuery({
    queryKey: ['conversations', sought, view.heads],
    queryFn: async () => (await heads(sought)).data,
    enabled: chats.kept && sought !== '',
  });
  const shown = sought
    ? (found.data ?? []).map(({ id, name, changed }) => ({ id, title: name, updated: changed }))
    : entriesOf(view);
  const active = current ? (chats.find(current)?.server ?? current) : undefined;
  return (
    <Stack gap="xs" className={css.side}>
      <Button
        component={Link}
        to="/chat"
        onClick={chosen}
        leftSection={<IconPlus size={16} />}
        variant="light"
        fullWidth
        justify="flex-start"
      >
        New chat
      </Button>
      <TextInput
        size="sm"
        aria-label="Search conversations"
        placeholder="Search"
        leftSection={<IconSearch size={15} />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <ScrollArea
        style={{ flex: 1 }}
        type="hover"
        mx={-8}
        px={8}
        viewportProps={{ tabIndex: 0, 'aria-label': 'Conversations', role: 'region' }}
      >
        {shown.map((one) => (
          <Line key={one.id} chats={chats} entry={one} active={one.id === active} chosen={chosen} />
        ))}
        {shown.length === 0 && <Nothing>{said(chats, view, sought, found)}</Nothing>}
        {!sought && view.next && (
          <Button variant="subtle" size="xs" fullWidth onClick={() => void chats.list(view.next ?? '')}>
            Older ones
          </Button>
        )}
      </ScrollArea>
    </Stack>
  );
}

function said(chats: Chats, view: View, sought: string, found: { isPending: boolean; isError: boolean }): string {
  if (!chats.kept) return 'This gateway keeps no conversations: they last as long as this page';
  if (!sought) return view.listed ? 'Your conversations will be here, for you alone' : '';
  if (found.isError) return 'The search did not work';
  return found.isPending ? 'Searching…' : 'Nothing found';
}

function Nothing({ children }: { children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed" ta="center" mt="xl" px="sm" role="status">
      {children}
    </Text>
  );
}

type LineProps = { chats: Chats; entry: Entry; active: boolean; chosen?: (() => void) | undefined };

function Line({ chats, entry, active, chosen }: LineProps) {
  const [name, setName] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const navigate = useNavigate();
  const rename = () => {
    if (name?.trim() && name.trim() !== entry.title) tried(chats.rename(entry.id, name.trim().slice(0, 200)));
    setName(null);
  };
  const remove = () => {
    setRemoving(false);
    tried(chats.remove(entry.id));
    if (active) void navigate({ to: '/chat' });
  };
  const exported = async (write: (conversation: Conversation) => void) => {
    const conversation = await chats.open(entry.id);
    if (conversation) write(conversation);
  };
  if (name !== null)
    return (
      <TextInput
        autoFocus
        size="xs"
        my={2}
        aria-label="New name"
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.currentTarget.value)}
        onBlur={rename}
        onKeyDown={(event) => {
          if (event.key === 'Enter') rename();
          if (event.key === 'Escape') setName(null);
        }}
      />
    );
  return (
    <div className={css.line} data-active={active || undefined}>
      <Link
        to="/chat/$id"
        params={{ id: entry.id }}
        onClick={chosen}
        className={css.lineName}
        title={entry.title}
        dir="auto"
      >
        {entry.title}
      </Link>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`More for ${entry.title}`}>
            <IconDots size={15} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => setName(entry.title)}>
            Rename
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={15} />}
            onClick={() => tried(exported((one) => save(`${one.title}.md`, 'text/markdown', asMarkdown(one))))}
          >
            Export as Markdown
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={15} />}
            onClick={() =>
              tried(exported((one) => save(`${one.title}.json`, 'application/json', JSON.stringify(one, null, 2))))
            }
          >
            Export as JSON
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => setRemoving(true)}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={removing}
        onClose={() => setRemoving(false)}
        title="Delete this conversation?"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Text size="sm" className="anyword">
          Nothing of “{entry.title}” is left on the gateway, and it cannot be brought back. Its receipts stay.
        </Text>
        <Button mt="md" color="red.9" fullWidth onClick={remove}>
          Delete
        </Button>
      </Modal>
    </div>
  );
}

function tried(work: Promise<unknown>): void {
  work.catch((error: unknown) =>
    notifications.show({
      color: 'red',
      title: 'That did not work',
      message: error instanceof Error ? error.message : '',
    }),
  );
}

export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(/[\\/:*?"<>|]+/g, '-');
  link.click();
  URL.revokeObjectURL(url);
}
