import { ActionIcon, Drawer, SegmentedControl, Text, Tooltip } from '@mantine/core';
import { useDisclosure, useLocalStorage } from '@mantine/hooks';
import { IconLayoutSidebar } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, memo, Suspense, useEffect, useMemo, useRef } from 'react';
import { ApiError } from '~/api/http';
import { chats as isChat, type Model, modelsQuery, sees } from '~/api/models';
import { useSession } from '~/api/session';
import { Empty, Failed, Loading } from '~/parts/states';
import { answer, askAfter, holdAll, stop, type Wish } from './ask';
import { Composer } from './Composer';
import css from './chat.module.css';
import { type Chats, chatsOf, useChats } from './chats';
import { ModelPicker } from './ModelPicker';
import { Price } from './Price';
import { Sidebar } from './Sidebar';
import { Thread } from './Thread';
import { type Conversation, type Node, pathOf, started } from './tree';

const Panel = lazy(() => import('./FluxPanel'));

export type Settings = { models: string[]; flux: boolean; sources: string[]; fuser: string | null };
const FIRST: Settings = { models: [], flux: false, sources: [], fuser: null };

export function ChatPage({ id }: { id?: string | undefined }) {
  const session = useSession();
  const chats = chatsOf(`${session.workspace}/${session.user}`, Boolean(session.conversations));
  const view = useChats(chats);
  const models = useQuery(modelsQuery);
  const [open, drawer] = useDisclosure(false);
  const navigate = useNavigate();
  const conversation = id ? chats.find(id) : undefined;
  const failed = id ? view.failed[id] : undefined;
  useEffect(() => {
    if (id && !conversation && !failed) void chats.open(id);
  }, [id, conversation, failed, chats]);
  useEffect(() => {
    // The address says what the gateway calls it, so that it can be kept and opened again.
    const server = conversation?.server;
    if (id && server && server !== id) void navigate({ to: '/chat/$id', params: { id: server }, replace: true });
  }, [id, conversation?.server, navigate]);
  useEffect(() => {
    window.addEventListener('pagehide', holdAll);
    return () => window.removeEventListener('pagehide', holdAll);
  }, []);
  const usable = useMemo(() => models.data?.filter(isChat) ?? [], [models.data]);
  if (models.isPending) return <Loading label="Loading the models" />;
  // Once they were read, a gateway that is away takes nothing from the page.
  if (models.isError && !models.data) return <Failed error={models.error} retry={() => void models.refetch()} />;
  if (usable.length === 0)
    return (
      <Empty title="No model is open to you">An admin of your workspace can allow some, or configure a provider.</Empty>
    );
  return (
    <div className={css.page}>
      <aside className={css.aside} aria-label="Conversations">
        <Sidebar chats={chats} view={view} current={conversation?.id ?? id} />
      </aside>
      <Drawer
        opened={open}
        onClose={drawer.close}
        title="Conversations"
        size="sm"
        closeButtonProps={{ 'aria-label': 'Close' }}
        classNames={{ body: css.drawer }}
      >
        <Sidebar chats={chats} view={view} current={conversation?.id ?? id} chosen={drawer.close} />
      </Drawer>
      <Talk
        chats={chats}
        conversation={conversation}
        id={id}
        failed={failed}
        waiting={view.waiting}
        models={usable}
        openSide={drawer.open}
      />
    </div>
  );
}

type TalkProps = {
  chats: Chats;
  conversation: Conversation | undefined;
  id: string | undefined;
  failed: Error | undefined;
  waiting: boolean;
  models: Model[];
  openSide: () => void;
};

const Talk = memo(({ chats, conversation, id, failed, waiting, models, openSide }: TalkProps) => {
  const [settings, set] = useLocalStorage<Settings>({
    key: 'conflux-chat-settings',
    defaultValue: FIRST,
    getInitialValueInEffect: false,
  });
  const navigate = useNavigate();
  const known = new Set(models.map((model) => model.id));
  const kept = settings.models.filter((one) => known.has(one));
  const chosen = kept.length > 0 ? kept : [firstOf(models)];
  const gone = settings.models.filter((one) => !known.has(one));
  const byId = new Map(models.map((model) => [model.id, model]));
  const picked = chosen.flatMap((one) => byId.get(one) ?? []);
  const wish: Wish = { models: chosen, flux: settings.flux ? fluxOf(settings, known) : null };
  const current = useRef({ wish, id: conversation?.id });
  useEffect(() => {
    current.current = { wish, id: conversation?.id };
  });
  const states = Object.values(conversation?.nodes ?? {}).map((node) => ({ id: node.id, state: node.answer?.state }));
  const running = states.filter((node) => node.state === 'running');
  const refused = states.filter((node) => node.state === 'failed').length;
  const client = useQueryClient();
  useEffect(() => {
    // A model may have been taken away since the list was read: the page says so, and asks another.
    if (refused > 0) void client.invalidateQueries({ queryKey: modelsQuery.queryKey });
  }, [refused, client]);

  const send = (text: string, images: string[]) => {
    const place = conversation?.id ?? `c${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
    const before = conversation ?? started(place, Date.now());
    if (!conversation) chats.put(before);
    askAfter(chats, place, pathOf(before).at(-1)?.id ?? null, text, images, wish);
    if (!conversation) void navigate({ to: '/chat/$id', params: { id: place } });
  };
  const acts = useMemo(
    () => ({
      edit: (node: Node, text: string) => {
        const now = current.current;
        if (now.id) askAfter(chats, now.id, node.parent, text, node.images ?? [], now.wish);
      },
      again: (node: Node) => {
        const now = current.current;
        if (!now.id || node.parent === null) return;
        const model = node.answer?.model;
        const same = model && model !== 'Flux' ? { ...now.wish, models: [model], flux: null } : now.wish;
        answer(chats, now.id, node.parent, node.answer?.group ? same : now.wish);
      },
      show: (node: string) => {
        const now = current.current;
        if (now.id)
          chats.change(now.id, (before) => ({
            ...before,
            chosen: { ...before.chosen, [before.nodes[node]?.parent ?? '']: node },
          }));
      },
    }),
    [chats],
  );

  return (
    <section className={css.talk} aria-label="Chat">
      <div className={css.bar}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          hiddenFrom="sm"
          aria-label="Conversations"
          onClick={openSide}
        >
          <IconLayoutSidebar size={19} />
        </ActionIcon>
        <Tooltip
          label="Flux asks several models and lets one write the answer: better, slower, and as expensive as all of them together. Use Direct for quick work."
          multiline
          w={280}
        >
          <SegmentedControl
            size="xs"
            aria-label="How to answer"
            value={settings.flux ? 'flux' : 'direct'}
            onChange={(value) => set({ ...settings, flux: value === 'flux' })}
            data={[
              { value: 'direct', label: 'Direct' },
              { value: 'flux', label: 'Flux' },
            ]}
          />
        </Tooltip>
        {settings.flux ? (
          <Suspense>
            <Panel models={models} settings={settings} set={set} />
          </Suspense>
        ) : (
          <ModelPicker models={models} chosen={chosen} choose={(ids) => set({ ...settings, models: ids })} />
        )}
      </div>
      {id && !conversation ? (
        failed ? (
          <NotOpened error={failed} retry={() => chats.forget(id)} />
        ) : chats.kept ? (
          <Loading label="Loading the conversation" />
        ) : (
          <Empty title="This conversation is not here">This gateway keeps no conversations.</Empty>
        )
      ) : (
        <Thread conversation={conversation} acts={acts} suggest={(text) => send(text, [])} />
      )}
      <div className={css.foot}>
        {gone.length > 0 && (
          <Text size="xs" c="dimmed" ta="center" mb={6} role="status">
            {gone.join(', ')} {gone.length > 1 ? 'are' : 'is'} not open to you any more
            {kept.length === 0 && picked[0] ? `: ${picked[0].name} is asked now` : ''}.
          </Text>
        )}
        {waiting && (
          <Text size="xs" c="dimmed" ta="center" mb={6} role="status">
            Not kept on the gateway yet: what was said stays in this browser until it is.
          </Text>
        )}
        <Composer
          key={conversation?.id ?? 'new'}
          send={send}
          stop={
            running.length > 0
              ? () => {
                  for (const node of running) stop(node.id);
                }
              : null
          }
          images={!settings.flux && picked.length > 0 && picked.every(sees)}
          price={(typed) => (
            <>
              <Price wish={wish} conversation={conversation} typed={typed} />
              {wish.flux && <span className={css.advice}> · for quick work use Direct</span>}
            </>
          )}
        />
      </div>
    </section>
  );
});

function NotOpened({ error, retry }: { error: Error; retry: () => void }) {
  if (error instanceof ApiError && error.status === 404)
    return <Empty title="This conversation is not here">It was deleted, or is somebody else’s.</Empty>;
  return <Failed error={error} retry={retry} />;
}

function firstOf(models: Model[]): string {
  const usual = models.find(
    (model) => model.role === 'BOTH' && model.supported_features.includes('tools') && Number(model.pricing.prompt) > 0,
  );
  return (usual ?? models[0])?.id ?? '';
}

function fluxOf(settings: Settings, known: Set<string>) {
  const sources = settings.sources.filter((one) => known.has(one));
  return {
    ...(sources.length > 0 ? { sources } : {}),
    ...(settings.fuser && known.has(settings.fuser) ? { fuser: settings.fuser } : {}),
  };
}
