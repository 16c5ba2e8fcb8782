/** All pages of a list that is shown as a whole, such as the points of a plot. */
import { type Api, pathOf } from './admin';
import { json } from './http';

type Paged<Row> = { data: Row[]; next?: string | null };
type Listed = { [Name in keyof Api]: Api[Name]['answer'] extends Paged<unknown> ? Name : never }[keyof Api];
type RowOf<Name extends Listed> = Api[Name]['answer'] extends Paged<infer Row> ? Row : never;

const MOST = 60; // pages; a plot of more would say nothing

export async function every<Name extends Listed>(
  name: Name,
  query: Partial<Api[Name]['query']>,
): Promise<RowOf<Name>[]> {
  const rows: RowOf<Name>[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST; page += 1) {
    const path = pathOf(name, { query: { ...query, limit: 500, cursor } as Partial<Api[Name]['query']> });
    const found: Paged<RowOf<Name>> = await json(path);
    rows.push(...found.data);
    cursor = found.next ?? null;
    if (!cursor) break;
  }
  return rows;
}
