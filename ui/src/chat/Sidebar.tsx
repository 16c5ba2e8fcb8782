import { ActionIcon, Button, Menu, Modal, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconDownload, IconPencil, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import css from './chat.module.css';
import type { Chats } from './chats';
import { asMarkdown, type Conversation, matches } from './tree';

type Props = { chats: Chats; all: Record<string, Conversation>; current?: string | undefined; chosen?: () => void };

export function Sidebar({ chats, all, current, chosen }: Props) {
  const [sought, setSought] = useState('');
  const shown = Object.values(all)
    .filter((one) => matches(one, sought))
    .sort((a, b) => b.updated - a.updated);
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
        value={sought}
        onChange={(event) => setSought(event.currentTarget.value)}
      />
      <ScrollArea
        style={{ flex: 1 }}
        type="hover"
        mx={-8}
        px={8}
        viewportProps={{ tabIndex: 0, 'aria-label': 'Conversations', role: 'region' }}
      >
        {shown.map((one) => (
          <Line key={one.id} chats={chats} conversation={one} active={one.id === current} chosen={chosen} />
        ))}
        {shown.length === 0 && (
          <Text size="sm" c="dimmed" ta="center" mt="xl">
            {sought ? 'Nothing found' : 'Conversations are kept here, in this browser'}
          </Text>
        )}
      </ScrollArea>
    </Stack>
  );
}

type LineProps = { chats: Chats; conversation: Conversation; active: boolean; chosen?: (() => void) | undefined };

function Line({ chats, conversation, active, chosen }: LineProps) {
  const [name, setName] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const navigate = useNavigate();
  const rename = () => {
    if (name?.trim()) chats.change(conversation.id, (before) => ({ ...before, title: name.trim() }));
    setName(null);
  };
  const remove = () => {
    void chats.remove(conversation.id);
    if (active) void navigate({ to: '/chat' });
  };
  if (name !== null)
    return (
      <TextInput
        autoFocus
        size="xs"
        my={2}
        aria-label="New name"
        value={name}
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
        params={{ id: conversation.id }}
        onClick={chosen}
        className={css.lineName}
        title={conversation.title}
        dir="auto"
      >
        {conversation.title}
      </Link>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`More for ${conversation.title}`}>
            <IconDots size={15} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => setName(conversation.title)}>
            Rename
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={15} />}
            onClick={() => save(`${conversation.title}.md`, 'text/markdown', asMarkdown(conversation))}
          >
            Export as Markdown
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={15} />}
            onClick={() =>
              save(`${conversation.title}.json`, 'application/json', JSON.stringify(conversation, null, 2))
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
          “{conversation.title}” is kept in this browser only. It cannot be brought back; its receipts stay.
        </Text>
        <Button mt="md" color="red" fullWidth onClick={remove}>
          Delete
        </Button>
      </Modal>
    </div>
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
