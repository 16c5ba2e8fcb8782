/** Under the table: how ids work, how to choose, what limits there are, and how each client selects a model. */
import { Anchor, Paper, SimpleGrid, Table, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Choosing } from '~/api/catalogue';
import { gateway } from '~/base';
import { CodeBlock } from '~/parts/CodeBlock';
import css from './catalogue.module.css';
import { Examples } from './Examples';

const LIMITS: [string, string][] = [
  [
    'Policies narrow',
    'What GET /v1/models does not list for a key cannot be run with it, even where this page shows it.',
  ],
  [
    'Images need a model that sees',
    'Whether pictures and files are understood depends on the model and on the route in use.',
  ],
  [
    'Context is not unlimited',
    'The safe context is what is advertised and enforced: below the upstream’s limit, so that tools and the answer have room.',
  ],
  [
    'Flux costs more',
    'Several models draft and one more writes the answer; all of them are paid. For quick work use Direct.',
  ],
  [
    'Pools hide targets',
    'A public id may be served by several targets. You see the one stable model; admins see which target answered.',
  ],
];

export function Guide({ choosing, example, mount }: { choosing: Choosing; example: string; mount: string }) {
  return (
    <div className={css.guide}>
      <section>
        <Title order={2} size="h3">
          How model ids work
        </Title>
        <Text mt="xs" maw={760}>
          You name a public id, such as <code>{example}</code>; who really answers behind it is the gateway’s business
          and can change without you noticing. An id that fixes an effort ends with it (<code>…-high</code>). The list
          that your key gets can be shorter than this page: policies of the workspace, the key and the user, disabled
          models and rules for command-line clients narrow it.
        </Text>
        <CodeBlock
          language="sh"
          code={`curl ${gateway}${mount === '/' ? '' : mount}/v1/models -H "Authorization: Bearer $CONFLUX_KEY"`}
        />
      </section>
      <section>
        <Title order={2} size="h3" mb="xs">
          Selecting a model
        </Title>
        <Examples key={example + mount} model={example} mount={mount} />
      </section>
      <section>
        <Title order={2} size="h3" mb="sm">
          Choosing a model
        </Title>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Paper withBorder p="md">
            <Table aria-label="By task">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Task</Table.Th>
                  <Table.Th>Start with</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {choosing.by_task.map((row) => (
                  <Table.Tr key={row.task}>
                    <Table.Td>{row.task}</Table.Td>
                    <Table.Td>
                      {row.models.map((id) => (
                        <Anchor
                          key={id}
                          component={Link}
                          to="/catalogue/$storefront/$"
                          params={{ storefront: choosing.storefront, _splat: id } as never}
                          className={css.choice}
                          size="sm"
                        >
                          {id}
                        </Anchor>
                      ))}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Paper>
          <Paper withBorder p="md">
            <Table aria-label="By need">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Workload</Table.Th>
                  <Table.Th>Look at</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {choosing.by_need.map((row) => (
                  <Table.Tr key={row.need}>
                    <Table.Td>{row.need}</Table.Td>
                    <Table.Td>{row.look_at}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Paper>
        </SimpleGrid>
      </section>
      <section>
        <Title order={2} size="h3" mb="sm">
          Limitations
        </Title>
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {LIMITS.map(([title, text]) => (
            <Paper key={title} withBorder p="md">
              <Text fw={600}>{title}</Text>
              <Text size="sm" c="dimmed" mt={4}>
                {text}
              </Text>
            </Paper>
          ))}
        </SimpleGrid>
      </section>
    </div>
  );
}
