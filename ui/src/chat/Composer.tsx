import { ActionIcon, Button, CloseButton, FileButton, Group, Text, Textarea, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowUp, IconPaperclip, IconPlayerStopFilled } from '@tabler/icons-react';
import { type ClipboardEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { readAhead } from '~/parts/markdown/Rich';
import css from './chat.module.css';

const MOST_BYTES = 6_000_000;

type Props = {
  send: (text: string, images: string[]) => void;
  stop: (() => void) | null;
  images: boolean; // every chosen model sees
  price: (typed: string) => ReactNode;
  disabled?: boolean;
};

export function Composer({ send, stop, images, price, disabled = false }: Props) {
  const [text, setText] = useState('');
  const [attached, setAttached] = useState<string[]>([]);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.focus(), []);
  const ready = !disabled && !stop && text.trim() !== '';

  const submit = () => {
    if (!ready) return;
    send(text.trim(), images ? attached : []);
    setText('');
    setAttached([]);
  };
  const attach = (files: File[]) => {
    for (const file of files.filter((one) => one.type.startsWith('image/'))) {
      if (file.size > MOST_BYTES) notifications.show({ color: 'red', message: `${file.name} is larger than 6 MB` });
      else void dataUrl(file).then((url) => setAttached((before) => [...before, url].slice(0, 8)));
    }
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  const pasted = (event: ClipboardEvent) => {
    if (images && event.clipboardData.files.length > 0) attach([...event.clipboardData.files]);
  };

  return (
    <form
      className={css.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {attached.length > 0 && (
        <Group gap="xs" p="xs" pb={0}>
          {attached.map((url, index) => (
            <div key={url.slice(-40)} className={css.thumb}>
              <img src={url} alt={`Attached ${index + 1}`} />
              <CloseButton
                size="xs"
                aria-label={`Remove image ${index + 1}`}
                onClick={() => setAttached((before) => before.filter((_, at) => at !== index))}
              />
            </div>
          ))}
        </Group>
      )}
      <Textarea
        ref={box}
        variant="unstyled"
        autosize
        minRows={1}
        maxRows={12}
        dir="auto"
        aria-label="Message"
        placeholder="Ask anything"
        value={text}
        onChange={(event) => {
          readAhead();
          setText(event.currentTarget.value);
        }}
        onKeyDown={pressed}
        onPaste={pasted}
        classNames={{ input: css.input }}
      />
      <Group justify="space-between" px={8} pb={8} wrap="nowrap" gap="xs">
        <FileButton multiple accept="image/png,image/jpeg,image/webp,image/gif" onChange={attach} disabled={!images}>
          {(props) => (
            <Tooltip label={images ? 'Attach images' : 'The chosen model does not see images'}>
              <ActionIcon
                {...props}
                variant="subtle"
                color="gray"
                size="lg"
                radius="xl"
                aria-label="Attach images"
                data-disabled={!images || undefined}
                aria-disabled={!images}
              >
                <IconPaperclip size={18} />
              </ActionIcon>
            </Tooltip>
          )}
        </FileButton>
        <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
          <Text size="xs" c="dimmed" className="numbers" component="div" ta="right">
            {price(text)}
            {images && attached.length > 0 && ', pictures apart'}
          </Text>
          {stop ? (
            <Button
              color="red"
              variant="light"
              radius="xl"
              size="sm"
              onClick={stop}
              leftSection={<IconPlayerStopFilled size={14} />}
            >
              Stop
            </Button>
          ) : (
            <ActionIcon type="submit" size={36} radius="xl" aria-label="Send" disabled={!ready}>
              <IconArrowUp size={19} />
            </ActionIcon>
          )}
        </Group>
      </Group>
    </form>
  );
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error('the file could not be read'));
    reader.readAsDataURL(file);
  });
}
