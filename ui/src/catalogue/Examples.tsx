import { Tabs } from '@mantine/core';
import { CodeBlock } from '~/parts/CodeBlock';
import { examplesOf } from './examples';

export function Examples({ model, mount }: { model: string; mount: string }) {
  const all = examplesOf(model, mount);
  return (
    <Tabs defaultValue="curl" keepMounted={false}>
      <Tabs.List aria-label="Clients">
        {all.map((one) => (
          <Tabs.Tab key={one.id} value={one.id}>
            {one.title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {all.map((one) => (
        <Tabs.Panel key={one.id} value={one.id}>
          <CodeBlock code={one.code} language={one.language} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
