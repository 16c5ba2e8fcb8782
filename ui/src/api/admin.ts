/** The admin API by the names of its operations; what goes in and out is checked against its document. */
import { type Api, routes } from './admin.gen';
import { json } from './http';

export type * from './admin.gen';

type Asked<Name extends keyof Api> = {
  path?: Api[Name]['path'];
  query?: Partial<Api[Name]['query']>;
  body?: Api[Name]['body'];
};

/** The names of models hold slashes, which are part of the path. */
const encoded = (text: string): string => text.split('/').map(encodeURIComponent).join('/');

export function pathOf<Name extends keyof Api>(name: Name, { path, query }: Omit<Asked<Name>, 'body'> = {}): string {
  const filled = routes[name][1].replace(/\{(\w+)\}/g, (_, key: string) =>
    encoded(String((path as Record<string, string> | undefined)?.[key] ?? '')),
  );
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== null && value !== '') asked.set(key, String(value));
  return asked.size > 0 ? `${filled}?${asked.toString()}` : filled;
}

export function call<Name extends keyof Api>(name: Name, asked: Asked<Name> = {}): Promise<Api[Name]['answer']> {
  const method = routes[name][0];
  return json(pathOf(name, asked), method === 'GET' ? {} : { method, body: asked.body });
}
