/** The whole catalogue, as everybody may see it. */
import { queryOptions } from '@tanstack/react-query';
import type { PublicModel, PublicStorefront } from './admin.gen';
import { json } from './http';

export type Storefront = PublicStorefront;
export type Entry = PublicModel;
export type Choosing = {
  storefront: string;
  by_task: { task: string; models: string[] }[];
  by_need: { need: string; look_at: string }[];
};
export type Catalogue = { storefronts: Storefront[]; models: Entry[]; choosing: Choosing; simulated: boolean };

export const catalogueQuery = queryOptions({
  queryKey: ['catalogue'],
  queryFn: () => json<Catalogue>('admin/api/v1/catalogue'),
  staleTime: 30_000,
});
